/** Where the centres of the classes in focus have been, older parts fainter. */
import { stroke } from "../scene/strokes.js";
import { LEVEL } from "./layer.js";

/** @typedef {import("./layer.js").Vec3} Vec3 */

/** @param {Float32Array|undefined} all centres of a frame @param {number} c @returns {Vec3|null} */
const centreOf = (all, c) => (all && Number.isFinite(all[3 * c]) ? [all[3 * c], all[3 * c + 1], all[3 * c + 2]] : null);

/** @type {import("./layer.js").Layer} */
export const trails = {
  key: "trails",
  title: "Trails",
  hint: "Where the centres have just been; choose a class to see its own",
  on: false,
  level: LEVEL.GROUND,
  draw: (to, { run, centres, colours, chosen, scale, trail }) => {
    const past = run.history.slice(-trail - 1, -1);
    const steps = past.length;
    let drawn = 0;
    centres.forEach((now, c) => {
      if (chosen && !chosen.has(c)) return;
      for (let i = 0; i < steps; i++) {
        const a = centreOf(past[i], c);
        const b = i + 1 < steps ? centreOf(past[i + 1], c) : now;
        if (!a || !b) continue;
        stroke(to.lines, a, b, colours[c], (0.9 * (i + 1)) / steps, 0.8 + (1.8 * scale * (i + 1)) / steps);
        drawn++;
      }
    });
    return drawn;
  },
};
