/** What a person can take away of what they see: the entries of the menu "Save". */
import { saveGif } from "./animation.js";
import { saveMovie } from "./movie.js";
import { savePng } from "./png.js";
import { saveReplay } from "./savereplay.js";
import { copyLink } from "./permalink.js";
import { words } from "../words.js";
import { saveSvg } from "./sketch.js";

/** @typedef {import("../assembly.js").Stage} Stage */

/** @typedef {keyof import("../words.js").Words["exports"]} Name */
/** @typedef {{name: string, hint: string, run: (stage: Stage) => Promise<void>|void}} Export */

/**
 * A function that cannot do its work throws an error whose message ends the sentence "This could not be saved: …";
 * "app": it needs the app behind the page; "address": the page's address must be the stage's to write.
 * @type {[Name, Export["run"], ("app"|"address")?][]}
 */
const EXPORTS = [
  ["png", savePng],
  ["svg", saveSvg],
  ["gif", saveGif],
  ["film", saveMovie],
  ["replay", saveReplay, "app"],
  ["link", copyLink, "address"],
];

/** @param {import("../common/types.js").StageData} data of the page @returns {Export[]} */
export const exportsOf = ({ replay, guest }) =>
  EXPORTS.filter(([, , needs]) => !(needs === "app" && replay) && !(needs === "address" && guest)).map(([key, run]) => {
    const [name, hint] = words.exports[key];
    return { name, hint, run };
  });
