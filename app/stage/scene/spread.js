/** How wide each class spreads around its centre, and how strongly that may be filled. Pure. */
import { dot, length } from "../common/vectors.js";

/** @typedef {import("../common/types.js").Vec3} Vec3 */

/** Share of a class that its cap holds. */
export const HELD = 0.95;

/**
 * @param {Int16Array} xyz @param {Uint16Array} labels @param {(Vec3|null)[]} centres
 * @param {Uint8Array|null} [present] 0 for samples that are not there
 * @param {Uint8Array|null} [measured] 0 for samples that are not counted, as test samples beside training samples
 * @returns {number[]} half-angle in radians that holds 95 % of each class's points; 0 where a class has fewer than two
 */
export function capAngles(xyz, labels, centres, present = null, measured = null) {
  /** @type {number[][]} */
  const cosines = centres.map(() => []);
  for (let i = 0; i < labels.length; i++) {
    const m = centres[labels[i]];
    if (!m || present?.[i] === 0 || measured?.[i] === 0) continue;
    const x = xyz[3 * i],
      y = xyz[3 * i + 1],
      z = xyz[3 * i + 2];
    cosines[labels[i]].push(
      (x * m[0] + y * m[1] + z * m[2]) / (Math.hypot(x, y, z) * Math.hypot(m[0], m[1], m[2]) || 1),
    );
  }
  return cosines.map((list) => {
    if (list.length < 2) return 0;
    list.sort((a, b) => b - a);
    const cosine = list[Math.min(list.length - 1, Math.ceil(HELD * list.length) - 1)];
    return Math.acos(Math.min(1, Math.max(-1, cosine)));
  });
}

/**
 * Fill of a tight cap; height (1 - cosine) from which a cap counts as wide; most that all fills over one centre may add
 * up to.
 */
const FILL = 0.12,
  TIGHT = 0.12,
  BUDGET = 0.14;
/** Cosine over which a cap's edge counts by parts, so that fills do not jump when a centre crosses it. */
const EDGE = 0.15;

/**
 * Fills that never become a veil: a wide cap has the ink of a tight one, spread over more room, and where several lie
 * over one another they share
 * what one place may wear. How wide a class is, its rim says anyway.
 * @param {(Vec3|null)[]} centres @param {number[]} angles half-angle of each cap, radians; 0: none
 * @param {number} [strength] of all fills, 1 where caps are the only ones
 * @returns {number[]} opacity of each cap's fill
 */
export function capFills(centres, angles, strength = 1) {
  const wanted = angles.map((angle) =>
    angle > 0 ? FILL * Math.min(1, TIGHT / Math.max(TIGHT, 1 - Math.cos(angle))) : 0,
  );
  /** Share of a cap that lies over a place. @param {number} c @param {Vec3} p */
  const covers = (c, p) => {
    const m = centres[c];
    if (!m || !wanted[c]) return 0;
    const inside = dot(m, p) / (length(m) * length(p) || 1) - Math.cos(angles[c]);
    return Math.min(1, Math.max(0, inside / EDGE + 0.5));
  };
  const heaped = centres.map((p) => (p ? wanted.reduce((sum, fill, c) => sum + fill * covers(c, p), 0) : 0));
  return wanted.map((fill, c) => {
    const most = centres.reduce(
      (most, p, i) => (p ? Math.max(most, heaped[i] * Math.min(1, 2 * covers(c, p))) : most),
      0,
    );
    return strength * fill * Math.min(1, BUDGET / (most || 1));
  });
}
