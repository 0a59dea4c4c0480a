/** Keeps what a run's scene was drawn with, while neither its frame nor what is asked of it changes. */
import { addScene } from "../layers/scene.js";
import { alike } from "../scene/choices.js";
import { SHEETS } from "../scene/strokes.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../layers/scene.js").Counts} Counts */
/** @typedef {Record<keyof import("../scene/strokes.js").Sheets, import("./gl.js").Batch>} Batches */
/**
 * @typedef {object} Held
 * @property {import("../common/types.js").Frame|null} frame
 * @property {number} version
 * @property {number} scale
 * @property {import("../common/colours.js").Rgb[]} colours
 * @property {import("../scene/forces.js").ForceLook} forces  may follow from the frames of other runs
 * @property {Counts} counts
 * @property {Float32Array[]} parts  one a sheet
 */

/** A turning camera draws the same scene again and again; so does a race in which one run alone has moved. */
export class SceneRecords {
  constructor() {
    /** @type {Map<string, Held>} */
    this.held = new Map();
  }

  /** @param {string} id */
  drop(id) {
    this.held.delete(id);
  }

  /**
   * @param {Batches} to @param {Run} run @param {number} k progress @param {import("../layers/scene.js").Asked} asked
   * @param {number} version of the choices behind what is asked @returns {Counts}
   */
  add(to, run, k, asked, version) {
    const { frame } = run;
    const { scale, colours, forces } = asked;
    const batches = SHEETS.map((name) => to[name]);
    const held = this.held.get(run.id);
    const same = held && held.frame === frame && held.version === version && alike(held.forces, forces);
    if (k >= 1 && same && held.scale === scale && held.colours === colours) {
      batches.forEach((batch, i) => batch.append(held.parts[i]));
      return held.counts;
    }
    const starts = batches.map((batch) => batch.used);
    const counts = addScene(to, run, k, asked);
    // While points move no two pictures are alike, and copies would only cost.
    if (k >= 1) {
      const parts = batches.map((batch, i) => batch.data.slice(starts[i], batch.used));
      this.held.set(run.id, { frame, version, scale, colours, forces, counts, parts });
    } else this.held.delete(run.id);
    return counts;
  }
}
