/**
 * The glyphs by which the legend names what is on the sphere, in a box of 16, and the shapes that they stand for there.
 */
import { SHAPE } from "../scene/strokes.js";

/**
 * @typedef {object} Glyph
 * @property {string} path   SVG path data
 * @property {boolean} filled
 * @property {number} [shape]  on the sphere: one of SHAPE
 * @property {number} [size]   on the sphere, CSS pixels at a panel of 300
 */

/** By the name that a mark declares as its sign. */
export const GLYPHS = {
  disc: { path: "M8 4.2a3.8 3.8 0 1 0 .01 0z", filled: true, shape: SHAPE.DOT, size: 3.4 },
  ring: { path: "M8 3.4a4.6 4.6 0 1 0 .01 0z", filled: false, shape: SHAPE.RING, size: 5 },
  diamond: { path: "m8 3 5 5-5 5-5-5z", filled: true, shape: SHAPE.DIAMOND, size: 5.6 },
  square: { path: "M4.2 4.2h7.6v7.6H4.2z", filled: true, shape: SHAPE.SQUARE, size: 4.6 },
  triangle: { path: "m8 3.4 4.8 8.4H3.2z", filled: true, shape: SHAPE.TRIANGLE, size: 4.8 },
  plus: { path: "M8 3.6v8.8M3.6 8h8.8", filled: false, shape: SHAPE.PLUS, size: 4.4 },
  mist: {
    path: "M5 6.2a1.5 1.5 0 1 0 .01 0zM11 4.6a1.1 1.1 0 1 0 .01 0zM10.4 10a1.6 1.6 0 1 0 .01 0z",
    filled: true,
    shape: SHAPE.MIST,
    size: 5,
  },
  arc: { path: "M2.5 11.5C5 4 11 4 13.5 11.5", filled: false },
  shift: { path: "M2.5 11.5 13 5M9.6 4.4 13 5l-1.6 3", filled: false },
  cap: {
    path:
      "M8 2.8a5.2 5.2 0 0 1 2.6.7M12.6 5.6a5.2 5.2 0 0 1 .4 3.6M11.4 12a5.2 5.2 0 0 1-3 1.2" +
      "M5.4 12.5a5.2 5.2 0 0 1-2.2-2.6M2.9 6.9a5.2 5.2 0 0 1 2-3.1",
    filled: false,
  },
  arrow: { path: "M3 12.5 12.5 4M8 3.6l4.6.3-.4 4.6", filled: false },
};

/** @param {string} sign that a mark declares @returns {Glyph} a disc where it is not known */
export const glyphOf = (sign) =>
  Object.hasOwn(GLYPHS, sign) ? GLYPHS[/** @type {keyof typeof GLYPHS} */ (sign)] : GLYPHS.disc;
