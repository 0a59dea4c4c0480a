/** The most balanced places for so many classes, dashed, and the way each centre still has to go. */
import { idealPlaces } from "../scene/simplex.js";
import { arc, SHAPE, sign, stroke } from "../scene/strokes.js";
import { LEVEL } from "./layer.js";

/** @typedef {import("./layer.js").Vec3} Vec3 */

/** Pairs hardly further apart than the nearest are edges of the figure. */
const NEARLY = 1.22;

/** @param {Vec3|null} a @param {Vec3|null} b */
export const chord = (a, b) => (a && b ? Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) : 0);

/** Edges of the figure. @param {(Vec3|null)[]} places @returns {[Vec3, Vec3][]} */
export function edges(places) {
  /** @type {[Vec3, Vec3, number][]} */
  const pairs = [];
  places.forEach((a, i) => places.forEach((b, j) => i < j && a && b && pairs.push([a, b, chord(a, b)])));
  const least = Math.min(...pairs.map((pair) => pair[2]));
  return pairs.filter((pair) => pair[2] < least * NEARLY).map(([a, b]) => [a, b]);
}

/** @type {import("./layer.js").Layer} */
export const ghost = {
  key: "ghost",
  title: "Ideal configuration",
  hint: "Dashed: the most balanced places for so many classes, turned onto the centres",
  on: false,
  level: LEVEL.GROUND,
  prepare: ({ frame }) => idealPlaces(frame?.header.centres ?? []) ?? [],
  draw: (to, { centres, ink, scale }, /** @type {(Vec3|null)[]} */ places) => {
    for (const [a, b] of edges(places)) stroke(to.ground, a, b, ink, 0.42, 1.1, 0, 14 * chord(a, b));
    let drawn = 0;
    places.forEach((p, c) => {
      if (!p) return;
      const m = centres[c];
      if (m) arc(to.ground, m, p, ink, 0.5, 1);
      sign(to.signs, p, ink, 0.75, 2.4 * scale, SHAPE.DOT);
      drawn++;
    });
    return drawn;
  },
};
