/** What an address asks of the lab in vain. Pure. */
import { fill } from "../words.js";
import { BOUNDS, isSaid } from "./bounds.js";
import { vainOf } from "./panels.js";
import { DEFAULTS, MOST_LOSSES, readSettings } from "./settings.js";
import { labWords as words } from "./words.js";

/** @typedef {import("./settings.js").Settings} Settings */

const MOST_TOLD = 5,
  LONGEST_TOLD = 48;

/**
 * What an address asks of the lab in vain: losses and options that it has not, values beyond their bounds.
 * @param {string} search @returns {string[]} each as it was asked, with its bounds where it has some
 */
export function vainIn(search) {
  const asked = new URLSearchParams(search),
    found = readSettings(search);
  return Object.keys(DEFAULTS).flatMap((key) => {
    const name = /** @type {keyof Settings} */ (key),
      text = asked.get(name),
      value = found[name];
    if (!text) return [];
    if (!Array.isArray(value)) return isSaid(text, value) ? [] : [`${name}=${text}${boundsOf(name)}`];
    const parts = text.split(",").filter(Boolean),
      most = name === "losses" ? MOST_LOSSES : value.length,
      vain = parts.flatMap((part, i) => (name === "losses" ? vainOf(part) : isSaid(part, value[i]) ? [] : [part]));
    return [...new Set([...vain, ...parts.slice(most)])].map((part) => `${name}=${part}`);
  });
}

/** @param {keyof Settings} name */
const boundsOf = (name) => (BOUNDS[name] ? ` (${BOUNDS[name].slice(0, 2).join("–")})` : "");

/** The same as a sentence; "": nothing is asked in vain. @param {string} search */
export function sayVain(search) {
  const vain = vainIn(search),
    told = vain.slice(0, MOST_TOLD).map((one) => (one.length > LONGEST_TOLD ? `${one.slice(0, LONGEST_TOLD)}…` : one));
  const what = told.join(", "),
    count = vain.length - told.length;
  return vain.length ? fill(words.vain, { what: count ? fill(words.vainMore, { what, count }) : what }) : "";
}
