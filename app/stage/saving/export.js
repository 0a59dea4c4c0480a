/** What a person can take away of what they see: the entries of the menu "Save". */
import { saveGif } from "./animation.js";
import { saveMovie } from "./movie.js";
import { savePng } from "./png.js";
import { saveReplay } from "./savereplay.js";
import { copyLink } from "./sight.js";
import { saveSvg } from "./sketch.js";

/** @typedef {import("../view.js").StageView} StageView */

/** A `run` that cannot do its work throws an error whose message ends the sentence "This could not be saved: …".
 * @type {{name: string, hint: string, needsApp?: boolean, run: (stage: StageView) => Promise<void>|void}[]} */
export const EXPORTS = [
  { name: "PNG", hint: "The stage as it is, with titles and numbers, at double size", run: savePng },
  { name: "SVG", hint: "A flat map of each sphere, as shapes and text for a paper", run: saveSvg },
  { name: "GIF", hint: "The timeline as a moving picture", run: saveGif },
  { name: "Film", hint: "The timeline as MP4, or WebM where the browser writes no MP4", run: saveMovie },
  {
    name: "HTML replay",
    hint: "One file with time, camera and layers, that opens anywhere without a network",
    needsApp: true,
    run: saveReplay,
  },
  { name: "Copy link", hint: "An address that shows the same runs, step, view, layers and colours", run: copyLink },
];
