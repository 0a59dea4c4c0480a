/**
 * Pairs that a method holds together, as arcs: two views of an image, an image and its caption, a boundary and where it
 * moved.
 */
import { SHAPE } from "../drawing/shaders.js";
import { arc, arrow, placeAt, sign } from "./strokes.js";

/** @typedef {{word: string, text: string, ends: [number|null, number|null], directed: boolean}} LinkKind
 *   word in the legend, sentence, the signs at its ends (null: none), whether it leads from a to b */

/** @type {Record<string, LinkKind>} */
const KINDS = {
  views: {
    word: "two views",
    ends: [SHAPE.DOT, SHAPE.DOT],
    directed: false,
    text: "Each arc joins two augmented views of one image, which the loss pulls together; short arcs mean that it has learned to.",
  },
  captions: {
    word: "image and caption",
    ends: [SHAPE.DOT, SHAPE.SQUARE],
    directed: false,
    text: "Each arc joins an image (dot) and its caption (square), which belong together; short arcs mean that they found each other.",
  },
  branches: {
    word: "two branches",
    ends: [SHAPE.DOT, SHAPE.DOT],
    directed: false,
    text: "Each arc joins one sample in the two branches of the method, which are to agree; short arcs mean that they do.",
  },
  boundary: {
    word: "boundary, shifted",
    ends: [null, null],
    directed: true,
    text: "Each arrow leads from where a boundary between two classes would lie without the class counts to where they put it while the method learns.",
  },
};

/** @param {string} name @returns {LinkKind} of a name that is not known: what any link is */
export const linkKind = (name) =>
  KINDS[name] ?? {
    word: name.replaceAll("_", " "),
    ends: [SHAPE.DOT, SHAPE.DOT],
    directed: false,
    text: `Each arc joins two places that the method holds together (“${name.replaceAll("_", " ")}”).`,
  };

const WIDTH = 1.4,
  END = 2.2;
/** Pairs drawn while no class is in focus: more would be a thicket. */
const MOST = 24;

/**
 * Which pairs are drawn: all of the classes in focus, else so many of each class that no more than `MOST` are.
 * @param {Uint16Array} y class of each pair @param {Set<number>|null} chosen classes in focus; null: all
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

/** @param {import("./strokes.js").Sheets} to @param {import("../incoming/runs.js").Run} run @param {number} k progress
 * @param {import("./scene.js").Look} look @returns {number} links drawn */
export function addLinks(to, run, k, look) {
  let drawn = 0;
  for (const [name, { y }] of run.frame?.links ?? []) {
    const { ends, directed } = linkKind(name),
      { a, b } = run.linksAt(name, k),
      draw = directed ? arrow : arc;
    const shown = directed && !look.chosen ? [...y.keys()] : choosePairs(y, look.chosen);
    for (const i of shown) {
      const p = placeAt(a, i),
        q = placeAt(b, i),
        colour = look.colours[y[i]] ?? look.ink;
      // The points around are of the same class, and of its colour: hence the border.
      draw(to.lines, p, q, colour, 0.9, directed ? -1.5 * WIDTH : -WIDTH);
      for (const [at, shape] of /** @type {[import("../common/types.js").Vec3, number|null][]} */ ([
        [p, ends[0]],
        [q, ends[1]],
      ]))
        if (shape !== null) sign(to.signs, at, colour, 1, END * look.scale, shape);
    }
    drawn += shown.length;
  }
  return drawn;
}
