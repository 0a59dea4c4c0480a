/** Whose part of the sphere is whose. */
import { stroke } from "../scene/strokes.js";
import { territoryBorders } from "../scene/territory.js";
import { fill, words } from "../words.js";
import { LEVEL, samplesOf } from "./layer.js";

/** @type {import("./layer.js").Layer} */
export const territory = {
  key: "territory",
  title: "Territory",
  hint: "Borders midway between neighbouring centres; hover a centre for its share of the sphere",
  on: false,
  level: LEVEL.GROUND,
  prepare: ({ frame }) => territoryBorders(frame?.header.centres ?? []),
  draw: (to, { ink }, /** @type {ReturnType<typeof territoryBorders>} */ borders) => {
    for (const [a, b] of borders) stroke(to.ground, a, b, ink, 0.5, 1);
    return borders.length;
  },
  sign: (runs) => ({
    word: words.territorySign,
    text: fill(words.territoryBorder, { samples: samplesOf(runs) }),
    path: "M8 8 8 2.6M8 8l4.7 3.2M8 8l-4.7 3.2",
    filled: false,
  }),
};
