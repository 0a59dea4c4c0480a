/** How wide each class spreads around its centre. */
import { capAngles, capFills } from "../scene/spread.js";
import { cap } from "../scene/strokes.js";
import { normalize } from "../common/vectors.js";
import { fill, words } from "../words.js";
import { GLYPHS } from "./glyphs.js";
import { LEVEL, samplesOf } from "./layer.js";

/** @type {import("./layer.js").Layer} */
export const caps = {
  key: "caps",
  title: "Caps",
  hint: "The cone that holds 95 % of a class's training samples",
  on: false,
  level: LEVEL.GROUND,
  prepare: ({ info, frame, measured }) => {
    const centres = frame?.header.centres ?? [];
    const angles = info && frame ? capAngles(frame.xyz, info.labels, centres, frame.present, measured) : [];
    return { angles, fills: capFills(centres, angles) };
  },
  draw: (to, { centres, colours, faded }, { angles, fills }) => {
    let drawn = 0;
    centres.forEach((m, c) => {
      if (!m || !angles[c]) return;
      cap(to, normalize(m), angles[c], colours[c], faded(c), fills[c]);
      drawn++;
    });
    return drawn;
  },
  sign: (runs) => ({ word: words.capSign, text: fill(words.capIs, { samples: samplesOf(runs) }), ...GLYPHS.cap }),
};
