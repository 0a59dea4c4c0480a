/** Whose part of the sphere is whose. */
import { stroke } from "../scene/strokes.js";
import { territoryBorders } from "../scene/territory.js";
import { LEVEL } from "./layer.js";

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
};
