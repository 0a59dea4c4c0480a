/** Declared marks that are pairs of places, as arcs or, where they are directed, as arrows. */
import { arc, arrow, placeAt, SHAPE, sign } from "../../scene/strokes.js";
import { words } from "../../words.js";
import { glyphOf, GLYPHS } from "../glyphs.js";
import { inLegend, LEVEL } from "../layer.js";

/** @typedef {import("../../common/types.js").Mark} Mark */

const WIDTH = 1.4;
const END = 2.2;
/** Pairs drawn while no class is in focus: more would be a thicket. */
const MOST = 24;

/**
 * Which pairs are drawn: all of the classes in focus, else so many of each class that no more than `MOST` are.
 * @param {Uint16Array} y class of each pair @param {ReadonlySet<number>|null} chosen classes in focus; null: all
 * @returns {number[]} indices
 */
export function choosePairs(y, chosen) {
  if (chosen) return [...y.keys()].filter((i) => chosen.has(y[i]));
  /** @type {Map<number, number>} */
  const left = new Map();
  const each = Math.max(1, Math.floor(MOST / new Set(y).size));
  return [...y.keys()].filter((i) => {
    const room = left.get(y[i]) ?? each;
    left.set(y[i], room - 1);
    return room > 0;
  });
}

/** @param {Mark} mark @returns {Pick<import("../layer.js").Layer, "level"|"draw"|"sign">} */
export const segmentsOf = (mark) => ({
  level: LEVEL.PAIRS,
  draw: (to, scene) => drawPairs(to, scene, mark),
  sign: (runs) => {
    if (!runs.some(({ frame }) => frame?.marks.has(mark.key))) return null;
    const text = mark.directed ? mark.short : `${mark.short} ${words.somePairs}`;
    const { path, filled } = mark.directed ? GLYPHS.shift : GLYPHS.arc;
    return { word: inLegend(mark.title), text, path, filled };
  },
});

/**
 * @param {import("../../scene/strokes.js").Sheets} to @param {import("../layer.js").Scene} scene @param {Mark} mark
 */
function drawPairs(to, { run, k, colours, ink, chosen, scale }, { key, directed, end }) {
  const { a, b, y } = run.markAt(key, k) ?? {};
  if (!a || !b || !y) return 0;
  const shown = directed && !chosen ? [...y.keys()] : choosePairs(y, chosen);
  // Where the two ends are of two kinds, as an image and its caption, the second has a glyph of its own.
  const far = end ? (glyphOf(end).shape ?? SHAPE.DOT) : SHAPE.DOT;
  for (const i of shown) {
    const p = placeAt(a, i);
    const q = placeAt(b, i);
    const colour = colours[y[i]] ?? ink;
    // The points around are of the same class, and of its colour: hence the border.
    if (directed) arrow(to.lines, p, q, colour, 0.9, -1.5 * WIDTH);
    else {
      arc(to.lines, p, q, colour, 0.9, -WIDTH);
      sign(to.signs, p, colour, 1, END * scale, SHAPE.DOT);
      sign(to.signs, q, colour, 1, END * scale, far);
    }
  }
  return shown.length;
}
