/** Whose part of the sphere is whose: every place belongs to the nearest centre (a spherical Voronoi diagram). Pure. */
import { cross, dot, normalize } from "../common/vectors.js";

/** @typedef {import("../common/types.js").Vec3} Vec3 */

/** Places asked for the shares; the share of a class is then right to about half a percent. */
const PLACES = 3000,
  PIECES = 180,
  MOST_CLASSES = 40;

/** Places spread evenly over the sphere, along a spiral. @param {number} count @returns {Vec3[]} */
function spread(count) {
  return Array.from({ length: count }, (_, i) => {
    const y = 1 - (2 * i + 1) / count,
      turn = i * Math.PI * (3 - Math.sqrt(5)),
      r = Math.sqrt(1 - y * y);
    return [Math.cos(turn) * r, y, Math.sin(turn) * r];
  });
}

/** Present centres as unit vectors, with their classes. @param {(Vec3|null)[]} centres */
const present = (centres) => centres.flatMap((m, c) => (m ? [{ c, m: normalize(m) }] : []));

/** @param {(Vec3|null)[]} centres @returns {number[]} each class's share of the sphere, 0 to 1 */
export function territoryShares(centres) {
  const here = present(centres),
    counts = centres.map(() => 0);
  if (!here.length) return counts;
  for (const p of spread(PLACES))
    counts[here.reduce((best, next) => (dot(next.m, p) > dot(best.m, p) ? next : best)).c]++;
  return counts.map((n) => n / PLACES);
}

/**
 * The borders: pieces of the great circles that lie midway between two centres and nearer to no third.
 * @param {(Vec3|null)[]} centres @returns {[Vec3, Vec3][]} empty where there are too many classes for a picture
 */
export function territoryBorders(centres) {
  const here = present(centres);
  /** @type {[Vec3, Vec3][]} */
  const pieces = [];
  if (here.length > MOST_CLASSES) return pieces;
  here.forEach(({ m: a }, i) =>
    here.slice(i + 1).forEach(({ m: b }) => {
      const axis = normalize([a[0] - b[0], a[1] - b[1], a[2] - b[2]]);
      const u = normalize(cross(axis, Math.abs(axis[1]) < 0.9 ? [0, 1, 0] : [1, 0, 0])),
        v = cross(axis, u);
      const at = (/** @type {number} */ k) => {
        const t = (2 * Math.PI * k) / PIECES,
          x = Math.cos(t),
          y = Math.sin(t);
        return /** @type {Vec3} */ ([u[0] * x + v[0] * y, u[1] * x + v[1] * y, u[2] * x + v[2] * y]);
      };
      for (let k = 0; k < PIECES; k++) {
        const middle = at(k + 0.5),
          mine = dot(a, middle);
        if (here.every(({ m }) => dot(m, middle) <= mine + 1e-9)) pieces.push([at(k), at(k + 1)]);
      }
    }),
  );
  return pieces;
}
