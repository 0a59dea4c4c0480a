/** The mean directions of the classes. */
import { SHAPE, sign } from "../scene/strokes.js";
import { GLYPHS } from "./glyphs.js";
import { fill, words } from "../words.js";
import { LEVEL, samplesOf } from "./layer.js";

const SIZE = 6.4;

/** @type {import("./layer.js").Layer} */
export const centres = {
  key: "centres",
  title: "Class centres",
  hint: "Rings: the mean direction of each class's training samples",
  on: true,
  level: LEVEL.CENTRES,
  draw: (to, { centres: places, colours, faded, scale }) => {
    let drawn = 0;
    places.forEach((m, c) => {
      if (!m) return;
      sign(to.signs, m, colours[c], faded(c), SIZE * scale, SHAPE.RING);
      drawn++;
    });
    return drawn;
  },
  sign: (runs) => ({ word: "centre", text: fill(words.centreIs, { samples: samplesOf(runs) }), ...GLYPHS.ring }),
};
