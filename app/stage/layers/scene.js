/** Draws what one panel shows of its run, all but the points: every layer that is on, from the lowest up. */
import { isAbsent } from "../scene/attributes.js";
import { arc, SHAPE, sign } from "../scene/strokes.js";
import { isOn } from "./layer.js";
import { layersOf } from "./list.js";

/** @typedef {import("../common/types.js").Frame} Frame */
/** @typedef {import("./layer.js").Layer} Layer */
/** @typedef {import("../scene/strokes.js").Sheets} Sheets */
/**
 * @typedef
 * {Omit<import("./layer.js").Scene, "run"|"k"|"centres"|"faded"> & Ring & {layers: import("./list.js").Switches}}
 * Asked what a panel is to show of its run
 */
/** @typedef {Record<string, number>} Counts by key of a layer: how many of its things were drawn */
/**
 * @typedef {object} Ring   the sample under the pointer, or pinned
 * @property {number|null} mark   index of the point to ring
 * @property {number[]|null} near indices of its nearest samples
 */

/** A class out of focus. */
const FADED = 0.15;

/** @type {WeakMap<Frame, Map<Layer, any>>} */
const prepared = new WeakMap();

/** @param {Layer} layer @param {import("../incoming/runs.js").Run} run @param {Frame} frame */
function prepareOnce(layer, run, frame) {
  let known = prepared.get(frame);
  if (!known) prepared.set(frame, (known = new Map()));
  if (!known.has(layer)) known.set(layer, layer.prepare?.(run));
  return known.get(layer);
}

/** @param {ReadonlySet<number>|null} chosen classes in focus; null: all @returns {(c: number) => number} */
const fading = (chosen) => (chosen ? (c) => (chosen.has(c) ? 1 : FADED) : () => 1);

/**
 * @param {Sheets} to @param {import("../incoming/runs.js").Run} run @param {number} k progress of its move
 * @param {Asked} asked @returns {Counts}
 */
export function addScene(to, run, k, asked) {
  const { frame } = run;
  /** @type {Counts} */
  const counts = {};
  if (!frame) return counts;
  const scene = { ...asked, run, k, centres: run.placesAt("centres", k), faded: fading(asked.chosen) };
  const drawable = layersOf([run]).filter(({ draw }) => draw);
  for (const layer of drawable.sort((a, b) => (a.level ?? 0) - (b.level ?? 0)))
    counts[layer.key] =
      (isOn(layer, asked.layers) && layer.draw?.(to, scene, layer.prepare && prepareOnce(layer, run, frame))) || 0;
  addRing(to, scene, frame);
  return counts;
}

/** @param {Sheets} to @param {import("./layer.js").Scene & Ring} scene @param {Frame} frame */
function addRing(to, { run, k, ink, scale, mark, near }, frame) {
  const { header } = frame;
  if (mark === null || mark >= header.n || isAbsent(frame, mark)) return;
  const marked = run.pointAt(mark, k);
  near?.forEach((i) => i < header.n && arc(to.lines, marked, run.pointAt(i, k), ink, 0.8, 1.2));
  sign(to.signs, marked, ink, 1, 8.5 * scale, SHAPE.HALO);
}
