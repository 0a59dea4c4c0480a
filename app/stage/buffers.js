/** The GPU's copy of one run's points: where they were, where they go, their swatch and their flags. */
import { FLAG } from "./shaders.js";

/** @typedef {import("./runs.js").Run} Run */

export class PointBuffers {
  /** @param {WebGL2RenderingContext} gl */
  constructor(gl) {
    this.gl = gl;
    const make = () => /** @type {WebGLBuffer} */ (gl.createBuffer());
    this.from = make();
    this.to = make();
    this.swatch = make();
    this.flags = make();
    this.count = 0;
    this.swatchCount = 0;
  }

  /**
   * Takes over the run's present move. Between steady frames the old goal becomes the new start without being sent again.
   * @param {Run} run @param {boolean} whole send the start too
   */
  setMove(run, whole) {
    const { gl } = this, frame = run.frame;
    if (!frame) return;
    if (!whole && frame.xyz.length === this.count * 3) [this.from, this.to] = [this.to, this.from];
    else this.send(this.from, run.from.length === frame.xyz.length ? run.from : frame.xyz, gl.STREAM_DRAW);
    this.send(this.to, frame.xyz, gl.STREAM_DRAW);
    this.count = frame.xyz.length / 3;
  }

  /** @param {Uint16Array} swatches colour of each point, as a place in the palette */
  setSwatches(swatches) {
    this.send(this.swatch, swatches, this.gl.DYNAMIC_DRAW);
    this.swatchCount = swatches.length;
  }

  /** @param {Uint8Array} flags */
  setFlags(flags) {
    this.send(this.flags, flags, this.gl.DYNAMIC_DRAW);
  }

  /** Draws every `thin`-th point. @param {import("./gl.js").Program} program @param {number} thin 1 = all */
  draw(program, thin) {
    const { gl } = this, count = Math.floor(Math.min(this.count, this.swatchCount) / thin);
    if (!count) return 0;
    const { from, to, swatch, flags } = program.attributes;
    for (const [at, buffer] of /** @type {[number, WebGLBuffer][]} */ ([[from, this.from], [to, this.to]])) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, 3, gl.SHORT, true, 6 * thin, 0);
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.swatch);
    gl.enableVertexAttribArray(swatch);
    gl.vertexAttribIPointer(swatch, 1, gl.UNSIGNED_SHORT, 2 * thin, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.flags);
    gl.enableVertexAttribArray(flags);
    gl.vertexAttribIPointer(flags, 1, gl.UNSIGNED_BYTE, thin, 0);
    gl.drawArrays(gl.POINTS, 0, count);
    for (const at of [from, to, swatch, flags]) gl.disableVertexAttribArray(at);
    return count;
  }

  free() {
    for (const buffer of [this.from, this.to, this.swatch, this.flags]) this.gl.deleteBuffer(buffer);
  }

  /** @param {WebGLBuffer} buffer @param {ArrayBufferView} data @param {number} usage */
  send(buffer, data, usage) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, data, usage);
  }
}

/**
 * What each point wears: its class, or whether the method got it right.
 * @param {Run} run @param {"class"|"correct"|"split"} by
 * @returns {Uint16Array} class c is swatch c; after the classes come right, wrong, train, test
 */
export function pointSwatches(run, by) {
  const info = /** @type {import("./types.js").RunInfo} */ (run.info), { labels, split } = info;
  const base = info.header.num_classes;
  if (by === "split") return Uint16Array.from(split, (s) => base + 2 + (s ? 1 : 0));
  const guesses = by === "correct" ? run.frame?.predictions : null;
  if (!guesses) return labels;
  return Uint16Array.from(labels, (y, i) => base + (guesses[i] === y ? 0 : 1));
}

/**
 * @param {Run} run @param {{train: boolean, test: boolean}} shown @param {Set<number>|null} chosen classes in focus; null: all
 * @param {Set<number>|null} selected ids of samples in focus; null: all
 * @returns {Uint8Array}
 */
export function pointFlags(run, shown, chosen, selected) {
  const { labels, split, ids } = /** @type {import("./types.js").RunInfo} */ (run.info);
  return Uint8Array.from(labels, (y, i) => {
    const hidden = split[i] ? !shown.test : !shown.train;
    const dimmed = (chosen && !chosen.has(y)) || (selected && !selected.has(ids ? ids[i] : i));
    return (split[i] ? FLAG.TEST : 0) | (hidden ? FLAG.HIDDEN : 0) | (dimmed ? FLAG.DIMMED : 0);
  });
}
