/**
 * The panels of the lab: one loss may stand in several, each with options of its own. In settings and addresses a panel
 * is a text: the key of its loss, and after @ what is set for it alone, as in `tsc@targetWeight:5;k:3`. Pure.
 */
import { bounded, isSaid, parseValue, writeValue } from "./bounds.js";
import { LOSSES, OPTIONS } from "./losses/list.js";

/** @typedef {import("./problem.js").Options} Options */
/** @typedef {import("./settings.js").Settings} Settings */
/**
 * @typedef {object} Panel
 * @property {string} id    of its run on the stage: the key of the loss, from the second one on with a number
 * @property {string} loss  key of LOSSES
 * @property {Partial<Options>} own  what is set for it alone
 */

/** @param {string} text @returns {Pick<Panel, "loss"|"own">|null} null: no such loss */
function parsePanel(text) {
  const [loss, said = ""] = text.split("@", 2);
  if (!Object.hasOwn(LOSSES, loss)) return null;
  /** @type {Record<string, any>} */
  const own = {};
  for (const one of said.split(";")) {
    const [name, value = ""] = /** @type {[keyof Options, string]} */ (one.split(":", 2));
    // What its loss does not know would say nothing.
    if (!LOSSES[loss].options.includes(name)) continue;
    const found = bounded(name, parseValue(value, OPTIONS[name]), undefined);
    if (found !== undefined) own[name] = found;
  }
  return { loss, own };
}

/** @param {Pick<Panel, "loss"|"own">} panel */
export function writePanel({ loss, own }) {
  const said = LOSSES[loss].options
    .filter((name) => own[name] !== undefined)
    .map((name) => `${name}:${writeValue(own[name])}`);
  return said.length ? `${loss}@${said.join(";")}` : loss;
}

/** @param {string[]} texts @returns {string[]} those that can be shown, each in its one spelling */
export const settlePanels = (texts) =>
  texts.flatMap((text) => {
    const panel = parsePanel(text);
    return panel ? [writePanel(panel)] : [];
  });

/** What a text asks of a panel in vain: an unknown loss, options that it has not or not so. @param {string} text */
export function vainOf(text) {
  const panel = parsePanel(text),
    [loss, said = ""] = text.split("@", 2);
  if (!panel) return [loss];
  return said.split(";").filter((one) => {
    const [name, value = ""] = /** @type {[keyof Options, string]} */ (one.split(":", 2));
    return one && !isSaid(value, panel.own[name]);
  });
}

/** @param {Pick<Settings, "losses">} settings @returns {Panel[]} */
export function panelsOf({ losses }) {
  /** @type {Map<string, number>} */
  const many = new Map();
  return losses.flatMap((text) => {
    const panel = parsePanel(text);
    if (!panel) return [];
    const n = (many.get(panel.loss) ?? 0) + 1;
    many.set(panel.loss, n);
    return [{ ...panel, id: n === 1 ? panel.loss : `${panel.loss}-${n}` }];
  });
}

/** All settings, as they are for one panel. @param {Settings} settings @param {Panel} panel @returns {Settings} */
export const settingsFor = (settings, { own }) => ({ ...settings, ...own });
