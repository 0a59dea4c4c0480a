/** What a method remembers, as soft points that fade with age: the keys in a queue. */
import { SHAPE } from "../drawing/shaders.js";
import { placeAt, sign } from "./strokes.js";

const STRONGEST = 0.95,
  FAINTEST = 0.2;

/**
 * How strong a memory looks: the newest of its cloud most, the oldest least. @param {number} age steps
 * @param {number} oldest steps
 */
export const strengthOfAge = (age, oldest) =>
  STRONGEST - (STRONGEST - FAINTEST) * (oldest > 0 ? Math.min(1, age / oldest) : 0);

/**
 * @param {import("./strokes.js").Sheets} to @param {import("../incoming/runs.js").Run} run
 * @param {import("./scene.js").Look} look
 * @param {(c: number) => number} faded @returns {number} points drawn */
export function addClouds(to, run, look, faded) {
  let drawn = 0;
  for (const { points, y, age } of run.frame?.clouds.values() ?? []) {
    const oldest = age.reduce((most, steps) => Math.max(most, steps), 0);
    for (let i = 0; i < y.length; i++)
      sign(
        to.mists,
        placeAt(points, i),
        look.colours[y[i]] ?? look.ink,
        strengthOfAge(age[i], oldest) * faded(y[i]),
        5 * look.scale,
        SHAPE.MIST,
      );
    drawn += y.length;
  }
  return drawn;
}
