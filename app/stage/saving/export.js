/** What a person can take away of what they see: the entries of the menu "Save". */
import { saveGif } from "./animation.js";
import { saveMovie } from "./movie.js";
import { savePng } from "./png.js";
import { saveReplay } from "./savereplay.js";
import { copyLink } from "./permalink.js";
import { makeLink } from "./reducedlink.js";
import { words } from "../words.js";
import { saveSvg } from "./sketch.js";

/** @typedef {import("../assembly.js").Stage} Stage */

/** @typedef {keyof import("../words.js").Words["exports"]} Name */
/** @typedef {{name: string, hint: string, run: (stage: Stage) => Promise<void>|void}} Export */

/**
 * A function that cannot do its work throws an error whose message ends the sentence "This could not be saved: …";
 * "app": it needs the app behind the page; "address": the page's address must be the stage's to write; "controls": the
 * page must be one of the app's, whose controls its address may take away.
 * @type {[Name, Export["run"], ("app"|"address"|"controls")?][]}
 */
const EXPORTS = [
  ["png", savePng],
  ["svg", saveSvg],
  ["gif", saveGif],
  ["film", saveMovie],
  ["replay", saveReplay, "app"],
  ["link", copyLink, "address"],
  ["reduced", makeLink, "controls"],
];

/** @param {import("../common/types.js").StageData} data of the page @returns {Export[]} */
export const exportsOf = ({ replay, guest, controls }) => {
  const lacks = { app: replay, address: guest, controls: !controls };
  return EXPORTS.filter(([, , needs]) => !(needs && lacks[needs])).map(([key, run]) => {
    const [name, hint] = words.exports[key];
    return { name, hint, run };
  });
};
