/** Keeps what a run's scene was drawn with, while neither its frame nor what is asked of it changes. */
import { addScene } from "../scene/scene.js";
import { SHEETS } from "../scene/strokes.js";

/** @typedef {import("./runs.js").Run} Run */
/** @typedef {import("../scene/scene.js").Tally} Tally */
/** @typedef {Record<keyof import("../scene/strokes.js").Sheets, import("../drawing/gl.js").Batch>} Batches */
/**
 * @typedef {object} Held
 * @property {import("../common/types.js").Frame|null} frame
 * @property {string} key
 * @property {import("../scene/colours.js").Rgb[]} colours
 * @property {Tally} tally
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
   * @param {Batches} to @param {Run} run @param {number} k progress @param {import("../scene/scene.js").Look} look
   * @returns {Tally}
   */
  add(to, run, k, look) {
    const batches = SHEETS.map((name) => to[name]),
      held = this.held.get(run.id);
    if (k >= 1 && held && held.frame === run.frame && held.key === look.key && held.colours === look.colours) {
      batches.forEach((batch, i) => batch.append(held.parts[i]));
      return held.tally;
    }
    const starts = batches.map((batch) => batch.used),
      tally = addScene(to, run, k, look);
    // While points move no two pictures are alike, and copies would only cost.
    if (k >= 1) {
      const parts = batches.map((batch, i) => batch.data.slice(starts[i], batch.used));
      this.held.set(run.id, { frame: run.frame, key: look.key, colours: look.colours, tally, parts });
    } else this.held.delete(run.id);
    return tally;
  }
}
