/** A link that shows the same: runs, step, cameras' pose, layers, colours, panel and class in focus. Pure. */
import { clampPose } from "../scene/camera.js";
import { COLOUR_NAMES, LAYERS } from "../choices/layers.js";

/** @typedef {import("../common/types.js").Pose} Pose */
/**
 * @typedef {object} Sight   what a link keeps beside what the address holds anyway (step, moments beside, projection)
 * @property {Pose|null} camera
 * @property {import("../choices/layers.js").Layers} layers
 * @property {import("../choices/layers.js").ColourMode} colourMode
 * @property {string|null} solo       panel shown alone
 * @property {boolean} alike          whether the arrows of all panels have one scale
 * @property {number[]} chosen        ranks of the classes in focus; empty: all
 */

const DIGITS = 3,
  MOST_CHOSEN = 200,
  RANK = /^\d{1,5}$/,
  ALIKE = "alike";
/** A run's id, or a moment's: run@step. */
const PANEL = /^[a-z0-9][a-z0-9-]{2,63}(@\d{1,12})?$/;

/**
 * @param {string} href the page's address @param {string[]} runs on the stage @param {Sight} sight
 * @returns {string} what is as usual is left out
 */
export function linkOf(href, runs, { camera, layers, colourMode, solo, alike, chosen }) {
  const url = new URL(href),
    names = /** @type {(keyof typeof LAYERS)[]} */ (Object.keys(LAYERS));
  const changed = names
    .filter((name) => layers[name] !== LAYERS[name])
    .map((name) => (layers[name] ? name : `-${name}`));
  const given = {
    runs: runs.join(","),
    camera: camera
      ? [camera.yaw % (2 * Math.PI), camera.pitch, camera.distance].map((v) => v.toFixed(DIGITS)).join(",")
      : "",
    layers: changed.join(","),
    colour: colourMode === COLOUR_NAMES[0][0] ? "" : colourMode,
    solo: solo ?? "",
    arrows: alike ? ALIKE : "",
    class: chosen.slice(0, MOST_CHOSEN).join(","),
  };
  for (const [name, value] of Object.entries(given))
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  url.search = url.search.replace(/%2C/gi, ",").replace(/%40/gi, "@").replace(/%3A/gi, ":");
  return url.href;
}

/** @param {string} search of an address, with or without its question mark @returns {Partial<Sight>} what it says and is possible; the rest is left out */
export function readLink(search) {
  const asked = new URLSearchParams(search),
    list = (/** @type {string} */ name) => (asked.get(name) ?? "").split(",").filter(Boolean);
  /** @type {Partial<Sight>} */
  const sight = {};
  const [yaw, pitch, distance, ...more] = list("camera").map(Number);
  if (!more.length && [yaw, pitch, distance].every(Number.isFinite)) sight.camera = clampPose({ yaw, pitch, distance });
  const known = list("layers")
    .map((word) => /** @type {const} */ ([word.replace(/^-/, ""), !word.startsWith("-")]))
    .filter(([name]) => Object.hasOwn(LAYERS, name));
  if (known.length) sight.layers = { ...LAYERS, ...Object.fromEntries(known) };
  const colour = COLOUR_NAMES.find(([mode]) => mode === asked.get("colour"));
  if (colour) sight.colourMode = colour[0];
  const solo = asked.get("solo");
  if (solo && PANEL.test(solo)) sight.solo = solo;
  if (asked.get("arrows") === ALIKE) sight.alike = true;
  const chosen = [
    ...new Set(
      list("class")
        .filter((word) => RANK.test(word))
        .map(Number),
    ),
  ].slice(0, MOST_CHOSEN);
  if (chosen.length) sight.chosen = chosen;
  return sight;
}
