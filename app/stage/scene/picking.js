/**
 * Which point is under the pointer. Done on the processor: projecting 5,000 points takes a tenth of a millisecond,
 * while
 * reading an id back from the graphics card waits for all drawing before it (37 ms in software WebGL). Pure.
 */

import { isAbsent } from "./attributes.js";
import { slerp } from "../common/vectors.js";
import { arrowEnd, LONGEST, PARTS, totalsOf } from "./forces.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/**
 * @typedef {(p: ArrayLike<number>) => [number, number, number]} Placer pixels within the sphere, and depth along the
 * line
 * of sight
 */

/** How far beside a point the pointer may be, in CSS pixels. */
const REACH = 7;
/** A point behind the sphere's middle plane is taken only where none in front is in reach. */
const BEHIND_PENALTY = 400;

/**
 * @param {Run} run @param {number} k progress of its move @param {Placer} place
 * @param {number} distance of the eye @param {number} x @param {number} y within the sphere
 * @param {(index: number) => boolean} [visible]
 * @param {Uint32Array|null} [among] indices of those on the picture; null: all
 * @returns {number} index of the point, or -1
 */
export function pickPoint(run, k, place, distance, x, y, visible = () => true, among = null) {
  let best = -1,
    least = Infinity;
  const n = run.frame ? (among?.length ?? run.frame.xyz.length / 3) : 0;
  for (let at = 0; at < n; at++) {
    const i = among ? among[at] : at;
    const [px, py, w] = place(run.pointAt(i, k)),
      off = (px - x) ** 2 + (py - y) ** 2;
    if (off > REACH * REACH || isAbsent(run.frame, i) || !visible(i)) continue;
    // Near the pointer first, then near the eye.
    const cost = off + (w - distance) * 12 + (w > distance ? BEHIND_PENALTY : 0);
    if (cost < least) [least, best] = [cost, i];
  }
  return best;
}

/**
 * The class whose centre is under the pointer, or -1.
 * @param {(import("../common/types.js").Vec3|null)[]} centres @param {Placer} place @param {number} x @param {number} y
 */
export function pickCentre(centres, place, x, y) {
  let best = -1,
    least = 10 * 10;
  centres.forEach((m, c) => {
    if (!m) return;
    const [px, py] = place(m),
      off = (px - x) ** 2 + (py - y) ** 2;
    if (off < least) [least, best] = [off, c];
  });
  return best;
}

/** How far beside an arrow the pointer may be, in CSS pixels. */
const BESIDE = 4;
/** An arrow is looked for here along its way: all of a class begin in one place. */
const ALONG = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/**
 * The part of a force whose arrow is under the pointer, and of which class. @param {Run} run @param {number} k progress
 * of its move @param {import("./forces.js").ForceLook} look @param {Placer} place @param {number} distance of the eye
 * @param {number} x @param {number} y within the sphere @returns {{part: import("./forces.js").Part, c: number}|null}
 */
export function pickArrow(run, k, look, place, distance, x, y) {
  const { own } = totalsOf(run, null),
    centres = run.placesAt("centres", k),
    straight = Boolean(run.frame?.header.projection);
  /** @type {{part: import("./forces.js").Part, c: number}|null} */
  let best = null;
  let least = BESIDE * BESIDE;
  if (!look.longest) return null;
  for (const part of PARTS.filter((one) => look.parts.has(one) || look.lit?.has(one)))
    own[part]?.forEach((force, c) => {
      const m = centres[c],
        end = m && force && arrowEnd(m, force, LONGEST / look.longest, straight);
      if (!m || !end) return;
      for (const t of ALONG) {
        const [px, py, w] = place(slerp(m, end, t)),
          off = (px - x) ** 2 + (py - y) ** 2;
        if (w <= distance && off < least) [least, best] = [off, { part, c }];
      }
    });
  return best;
}

/**
 * Points inside a drawn outline.
 * @param {Run} run @param {Placer} place @param {[number, number][]} outline
 * @param {number} distance of the eye: only the near side is taken
 * @returns {number[]} indices
 */
export function pickInside(run, place, outline, distance) {
  /** @type {number[]} */
  const inside = [];
  const n = run.frame ? run.frame.xyz.length / 3 : 0;
  for (let i = 0; i < n; i++) {
    const [x, y, w] = place(run.pointAt(i, 1));
    if (w <= distance && !isAbsent(run.frame, i) && isInside(x, y, outline)) inside.push(i);
  }
  return inside;
}

/** Even-odd rule. @param {number} x @param {number} y @param {[number, number][]} outline */
export function isInside(x, y, outline) {
  let inside = false;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
    const [ax, ay] = outline[i],
      [bx, by] = outline[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
