/** The card's copies of one run's points: where they were, where they go, their colour and their flags. */

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {Int16Array|Uint16Array|Uint8Array} Values */
/** @typedef {{values: Values, version: number}} Held values, and how often the same array has been written anew */
/** @typedef {{name: string, size: number, type: number, bytes: number}} Field values and bytes a point */

/** Of fewer than this share the card is given a copy of their own: all of a million take longer to send than to draw. */
const FEW = 0.5;
/** Room for more in it, since how many are drawn follows how fast pictures are. */
const ROOM = 1.25;

/** @param {WebGL2RenderingContext} gl @returns {Field[]} */
const fieldsOf = (gl) => [
  { name: "from", size: 3, type: gl.SHORT, bytes: 6 },
  { name: "to", size: 3, type: gl.SHORT, bytes: 6 },
  { name: "colourAt", size: 1, type: gl.UNSIGNED_SHORT, bytes: 2 },
  { name: "flags", size: 1, type: gl.UNSIGNED_BYTE, bytes: 1 },
  { name: "ownSize", size: 1, type: gl.UNSIGNED_BYTE, bytes: 1 },
  { name: "pieces", size: 4, type: gl.UNSIGNED_SHORT, bytes: 8 },
];

/** Some points on the card, one after another. */
class Copy {
  /** @param {WebGL2RenderingContext} gl */
  constructor(gl) {
    this.gl = gl;
    /** @type {Map<string, Held & {buffer: WebGLBuffer}>} by field */
    this.fields = new Map();
    /** @type {Uint32Array|null} whose first points these are; null: all, as they come */
    this.order = null;
    this.room = 0;
  }

  /** Makes room for the first points of an order. @param {Uint32Array} order @param {number} count */
  choose(order, count) {
    if (this.order === order && count <= this.room) return;
    this.order = order;
    this.room = Math.min(order.length, Math.ceil(count * ROOM));
    // What is there is of other points.
    for (const held of this.fields.values()) held.version = -1;
  }

  /**
   * Sends what is not there yet. Between steady frames the old goal is the new start, and is not sent again.
   * @param {Field} field @param {Held} wanted @returns {WebGLBuffer}
   */
  bring({ name, size }, { values, version }) {
    const { gl, fields } = this,
      goal = fields.get("to");
    if (name === "from" && goal?.values === values && goal.version === version) {
      const start = fields.get("from");
      fields.set("from", goal);
      if (start) fields.set("to", start);
      else fields.delete("to");
    }
    let held = fields.get(name);
    if (held?.values === values && held.version === version) return held.buffer;
    held = { values, version, buffer: held?.buffer ?? /** @type {WebGLBuffer} */ (gl.createBuffer()) };
    fields.set(name, held);
    gl.bindBuffer(gl.ARRAY_BUFFER, held.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.order ? gather(values, size, this.order, this.room) : values, gl.DYNAMIC_DRAW);
    return held.buffer;
  }

  free() {
    for (const { buffer } of this.fields.values()) this.gl.deleteBuffer(buffer);
    this.fields.clear();
  }
}

export class PointBuffers {
  /** @param {WebGL2RenderingContext} gl */
  constructor(gl) {
    this.gl = gl;
    this.fields = fieldsOf(gl);
    this.all = new Copy(gl);
    this.few = new Copy(gl);
    this.order = /** @type {WebGLBuffer} */ (gl.createBuffer());
    /** @type {Uint32Array|null} the order that is there */
    this.ordered = null;
    /** @type {Map<string, Held>} what points wear, by field */
    this.worn = new Map();
  }

  /** Whether its samples have rings of several classes around them. */
  get ringed() {
    return this.worn.has("pieces");
  }

  /** @param {Uint16Array} colours colour of each point, as a place in the palette */
  setColours(colours) {
    this.wear("colourAt", colours);
  }

  /**
   * @param {Uint8Array} flags @param {Uint8Array} sizes size of each point, 128 = 1
   * @param {Uint16Array|null} pieces of each point's ring
   */
  setAttributes(flags, sizes, pieces) {
    this.wear("flags", flags);
    this.wear("ownSize", sizes);
    if (pieces) this.wear("pieces", pieces);
  }

  /** The same array may come again, written anew. @param {string} name @param {Values} values */
  wear(name, values) {
    this.worn.set(name, { values, version: (this.worn.get(name)?.version ?? 0) + 1 });
  }

  /**
   * Draws points, or the rings around them. @param {import("./gl.js").Program} program
   * @param {Run} run whose present move it is; it has a frame
   * @param {Uint32Array|null} order indices of which the first are drawn; null: all as they come
   * @param {number} most so many at most
   */
  draw(program, run, order, most) {
    const { gl } = this,
      goal = /** @type {import("../common/types.js").Frame} */ (run.frame).xyz,
      all = Math.min(goal.length / 3, this.worn.get("colourAt")?.values.length ?? 0),
      count = Math.min(order?.length ?? all, Math.floor(most));
    if (!count || !all) return 0;
    const few = order && count < all * FEW;
    if (few) this.few.choose(order, count);
    const copy = few ? this.few : this.all,
      wanted = new Map(this.worn);
    wanted.set("from", { values: run.from.length === goal.length ? run.from : goal, version: 0 });
    wanted.set("to", { values: goal, version: 0 });
    const places = program.attributes,
      used = this.fields.filter(({ name }) => name in places);
    for (const field of used) {
      const { name, size, type, bytes } = field,
        held = /** @type {Held} */ (wanted.get(name)),
        buffer = copy.bring(field, held);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(places[name]);
      if (type === gl.SHORT) gl.vertexAttribPointer(places[name], size, type, true, bytes, 0);
      else gl.vertexAttribIPointer(places[name], size, type, bytes, 0);
    }
    if (order && !few) {
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
      if (this.ordered !== order) gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.STATIC_DRAW);
      this.ordered = order;
      gl.drawElements(gl.POINTS, count, gl.UNSIGNED_INT, 0);
    } else gl.drawArrays(gl.POINTS, 0, count);
    for (const { name } of used) gl.disableVertexAttribArray(places[name]);
    return count;
  }

  free() {
    this.all.free();
    this.few.free();
    this.gl.deleteBuffer(this.order);
  }
}

/**
 * @param {Values} values @param {number} size of them a point @param {Uint32Array} order @param {number} count
 * @returns {Values} those of the first `count` points of the order
 */
function gather(values, size, order, count) {
  const Type = /** @type {new (length: number) => Values} */ (values.constructor),
    found = new Type(count * size);
  for (let i = 0, at = 0; i < count; i++)
    for (let k = 0, from = order[i] * size; k < size; k++) found[at++] = values[from + k];
  return found;
}
