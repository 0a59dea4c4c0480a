/** The GPU's copy of one run's points: where they were, where they go, their colour and their flags. */

/** @typedef {import("../incoming/runs.js").Run} Run */

export class PointBuffers {
  /** @param {WebGL2RenderingContext} gl */
  constructor(gl) {
    this.gl = gl;
    const make = () => /** @type {WebGLBuffer} */ (gl.createBuffer());
    this.from = make();
    this.to = make();
    this.colour = make();
    this.flags = make();
    this.sizes = make();
    this.order = make();
    /** @type {Uint32Array|null} the order that is there */
    this.ordered = null;
    /** Four pieces a point; made when a run has samples of several classes. @type {WebGLBuffer|null} */
    this.pieces = null;
    this.count = 0;
    this.colourCount = 0;
  }

  /**
   * Takes over the run's present move. Between steady frames the old goal becomes the new start without being sent
   * again.
   * @param {Run} run @param {boolean} whole send the start too
   */
  setMove(run, whole) {
    const { gl } = this,
      frame = run.frame;
    if (!frame) return;
    if (!whole && frame.xyz.length === this.count * 3) [this.from, this.to] = [this.to, this.from];
    else this.send(this.from, run.from.length === frame.xyz.length ? run.from : frame.xyz, gl.STREAM_DRAW);
    this.send(this.to, frame.xyz, gl.STREAM_DRAW);
    this.count = frame.xyz.length / 3;
  }

  /** @param {Uint16Array} colours colour of each point, as a place in the palette */
  setColours(colours) {
    this.send(this.colour, colours, this.gl.DYNAMIC_DRAW);
    this.colourCount = colours.length;
  }

  /**
   * @param {Uint8Array} flags @param {Uint8Array} sizes size of each point, 128 = 1
   * @param {Uint16Array|null} pieces of each point's ring
   */
  setAttributes(flags, sizes, pieces) {
    this.send(this.flags, flags, this.gl.DYNAMIC_DRAW);
    this.send(this.sizes, sizes, this.gl.DYNAMIC_DRAW);
    if (!pieces) return;
    this.pieces ??= /** @type {WebGLBuffer} */ (this.gl.createBuffer());
    this.send(this.pieces, pieces, this.gl.DYNAMIC_DRAW);
  }

  /**
   * Draws points, or the rings around them. @param {import("./gl.js").Program} program
   * @param {Uint32Array|null} order indices of which the first are drawn; null: all as they come
   * @param {number} most so many at most
   */
  draw(program, order, most) {
    const { gl } = this,
      all = Math.min(this.count, this.colourCount),
      count = Math.min(order?.length ?? all, Math.floor(most));
    if (!count || !all) return 0;
    const places = program.attributes;
    /** @type {[string, WebGLBuffer|null, number, number, number][]} name, buffer, values, type, bytes a point */
    const fields = [
      ["from", this.from, 3, gl.SHORT, 6],
      ["to", this.to, 3, gl.SHORT, 6],
      ["colourAt", this.colour, 1, gl.UNSIGNED_SHORT, 2],
      ["flags", this.flags, 1, gl.UNSIGNED_BYTE, 1],
      ["ownSize", this.sizes, 1, gl.UNSIGNED_BYTE, 1],
      ["pieces", this.pieces, 4, gl.UNSIGNED_SHORT, 8],
    ];
    const used = fields.filter(([name]) => name in places);
    for (const [name, buffer, size, type, bytes] of used) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(places[name]);
      if (type === gl.SHORT) gl.vertexAttribPointer(places[name], size, type, true, bytes, 0);
      else gl.vertexAttribIPointer(places[name], size, type, bytes, 0);
    }
    if (order) {
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
      if (this.ordered !== order) gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.STATIC_DRAW);
      this.ordered = order;
      gl.drawElements(gl.POINTS, count, gl.UNSIGNED_INT, 0);
    } else gl.drawArrays(gl.POINTS, 0, count);
    for (const [name] of used) gl.disableVertexAttribArray(places[name]);
    return count;
  }

  free() {
    for (const buffer of [this.from, this.to, this.colour, this.flags, this.sizes, this.order, this.pieces])
      this.gl.deleteBuffer(buffer);
  }

  /** @param {WebGLBuffer} buffer @param {ArrayBufferView} data @param {number} usage */
  send(buffer, data, usage) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, data, usage);
  }
}
