/** The most balanced places for C classes on the sphere, turned onto the centres as they are. Pure. */
import { dot, normalize } from "../common/vectors.js";

/** @typedef {import("../common/types.js").Vec3} Vec3 */

/** Repulsion grows sharper from round to round, so that in the end only the nearest pairs push. */
const SHARPNESS = [2, 6, 16, 40, 90],
  ROUNDS_EACH = 60,
  MOST_CLASSES = 40;
/** @type {Map<number, Vec3[]>} */
const known = new Map();

/**
 * C directions as far apart as they go: the regular simplex for C <= 4, else a packing found by descent from a spiral
 * (the smallest angle is within a degree or two of the best known).
 * @param {number} count @returns {Vec3[]}
 */
export function packing(count) {
  const found = known.get(count);
  if (found) return found;
  /** @type {Vec3[]} */
  let points = Array.from({ length: count }, (_, i) => {
    const y = 1 - (2 * i + 1) / count,
      turn = i * Math.PI * (3 - Math.sqrt(5)),
      r = Math.sqrt(1 - y * y);
    return [Math.cos(turn) * r, y, Math.sin(turn) * r];
  });
  for (const power of SHARPNESS)
    for (let round = 0; round < ROUNDS_EACH; round++) {
      const step = ((0.5 / Math.sqrt(count)) * (1 - round / ROUNDS_EACH)) / Math.sqrt(power);
      const nearest = Math.max(...points.map((p, i) => Math.max(...points.map((q, j) => (i === j ? -1 : dot(p, q))))));
      points = points.map((p, i) => {
        const push = [0, 0, 0];
        points.forEach((q, j) => {
          const weight = i === j ? 0 : Math.exp(power * (dot(p, q) - nearest));
          for (let d = 0; d < 3; d++) push[d] += weight * (p[d] - q[d]);
        });
        const along = dot(push, p),
          tangent = [0, 1, 2].map((d) => push[d] - along * p[d]);
        const size = Math.hypot(...tangent);
        const gain = size > 1e-9 ? (step * Math.min(1, size)) / size : 0;
        return normalize([0, 1, 2].map((d) => p[d] + gain * tangent[d]));
      });
    }
  known.set(count, points);
  return points;
}

/**
 * The rotation that brings `points` nearest to `goals` (least squares, reflections allowed: a mirrored packing is as
 * good).
 * Newton's iteration for the polar factor of the 3 x 3 covariance.
 * @param {Vec3[]} points @param {Vec3[]} goals @returns {number[]} 9 numbers, row by row
 */
export function procrustes(points, goals) {
  let m = new Array(9).fill(0);
  points.forEach((p, i) => {
    for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) m[r * 3 + c] += goals[i][r] * p[c];
  });
  // A little of the identity keeps a flat covariance invertible.
  const scale = Math.hypot(...m) || 1;
  m = m.map((v, i) => v / scale + (i % 4 === 0 ? 1e-6 : 0));
  for (let i = 0; i < 40; i++) {
    const inverse = invert(m);
    if (!inverse) break;
    m = m.map((v, j) => (v + inverse[(j % 3) * 3 + Math.floor(j / 3)]) / 2);
  }
  return m;
}

/** @param {number[]} m 3 x 3 @returns {number[]|null} */
function invert(m) {
  const [a, b, c, d, e, f, g, h, i] = m;
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  if (Math.abs(det) < 1e-18) return null;
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ].map((v) => v / det);
}

/** @param {number[]} m @param {Vec3} p @returns {Vec3} */
const turn = (m, p) => [dot([m[0], m[1], m[2]], p), dot([m[3], m[4], m[5]], p), dot([m[6], m[7], m[8]], p)];

/**
 * Gives each goal a point of its own, nearest pairs first. @param {Vec3[]} points @param {Vec3[]} goals
 * @returns {number[]}
 */
export function matchNearest(points, goals) {
  const pairs = goals.flatMap((g, i) =>
    points.map((p, j) => /** @type {[number, number, number]} */ ([dot(g, p), i, j])),
  );
  pairs.sort((a, b) => b[0] - a[0]);
  const match = new Array(goals.length).fill(-1),
    taken = new Set();
  for (const [, i, j] of pairs) {
    if (match[i] >= 0 || taken.has(j)) continue;
    match[i] = j;
    taken.add(j);
  }
  return match;
}

/**
 * @param {(Vec3|null)[]} centres
 * @returns {(Vec3|null)[]|null} the ideal place of each class; null where there are too few or too many
 */
export function ghostOf(centres) {
  const present = centres.flatMap((m, c) => (m && Math.hypot(...m) > 1e-6 ? [c] : []));
  if (present.length < 2 || present.length > MOST_CLASSES) return null;
  const goals = present.map((c) => normalize(/** @type {Vec3} */ (centres[c]))),
    ideal = packing(present.length);
  /** @type {{points: Vec3[], score: number}|null} */
  let best = null;
  // Matching and turning improve one another; several starts, because they stop at the first good pair.
  for (let start = 0; start < present.length; start++) {
    const shifted = ideal.map((_, i) => ideal[(i + start) % ideal.length]);
    let points = shifted.map((p) => turn(procrustes(shifted, goals), p));
    for (let i = 0; i < 8; i++) {
      const match = matchNearest(points, goals),
        mine = match.map((j) => points[j]),
        m = procrustes(mine, goals);
      points = mine.map((p) => turn(m, p));
    }
    const score = points.reduce((sum, p, i) => sum + dot(p, goals[i]), 0);
    if (!best || score > best.score) best = { points, score };
  }
  /** @type {(Vec3|null)[]} */
  const placed = centres.map(() => null);
  present.forEach((c, i) => (placed[c] = /** @type {NonNullable<typeof best>} */ (best).points[i]));
  return placed;
}
