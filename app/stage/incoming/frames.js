/** Takes a stream message apart: uint32 length, JSON header, then the payload the header describes. Pure. */

/** @typedef {import("../common/types.js").Frame} Frame */
/** @typedef {import("../common/types.js").RunInfo} RunInfo */

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, int16: Int16Array, int32: Int32Array, float32: Float32Array };
const decoder = new TextDecoder();

/**
 * @param {ArrayBuffer} buffer
 * @returns {{header: any, offset: number}} the JSON header, and where the payload starts
 * @throws {Error} when the message is shorter than it says, or its header is no JSON object
 */
export function splitMessage(buffer) {
  if (buffer.byteLength < 4) throw new Error(`A stream message of ${buffer.byteLength} bytes has no header length.`);
  const size = new DataView(buffer).getUint32(0, true);
  if (4 + size > buffer.byteLength)
    throw new Error(`A stream message of ${buffer.byteLength} bytes cannot hold a header of ${size} bytes.`);
  const header = JSON.parse(decoder.decode(new Uint8Array(buffer, 4, size)));
  if (header === null || typeof header !== "object" || Array.isArray(header))
    throw new Error("The header of a stream message must be a JSON object.");
  return { header, offset: 4 + size };
}

/**
 * A typed view of part of a message, copied only where the alignment asks for it.
 * @param {ArrayBuffer} buffer @param {number} offset bytes @param {number} count @param {string} type
 */
export function readArray(buffer, offset, count, type) {
  const Type = TYPES[/** @type {keyof typeof TYPES} */ (type)];
  if (!Type)
    throw new Error(`A stream array has the type "${type}", which is none of ${Object.keys(TYPES).join(", ")}.`);
  const bytes = count * Type.BYTES_PER_ELEMENT;
  if (!(offset >= 0 && count >= 0) || offset + bytes > buffer.byteLength)
    throw new Error(
      `A stream array of ${count} ${type} from byte ${offset} does not fit into ${buffer.byteLength} bytes.`,
    );
  if (offset % Type.BYTES_PER_ELEMENT === 0) return new Type(buffer, offset, count);
  return new Type(buffer.slice(offset, offset + bytes));
}

/** Views into the message, which lives as long as its frame does. @param {ArrayBuffer} buffer @param {any} header
 * @param {number} offset where the payload starts @returns {Frame} */
export function readFrame(buffer, header, offset) {
  const { n, arrays = {} } = header;
  /** @param {string} name @param {number} count items that it must have */
  const read = (name, count) => {
    const [at, items, type] = arrays[name] ?? [0, 0, "none"];
    if (items !== count)
      throw new Error(
        `The array "${name}" of ${header.run} at step ${header.step} has ${items} items; it must have ${count}.`,
      );
    return /** @type {any} */ (readArray(buffer, offset + at, items, type));
  };
  /** @type {Frame["marks"]} */
  const marks = new Map();
  for (const name of Object.keys(arrays)) {
    const key = /^marks\.(.+)\.y$/.exec(name)?.[1];
    if (key === undefined) continue;
    const count = arrays[name][1];
    const has = (/** @type {string} */ column) => `marks.${key}.${column}` in arrays;
    const of = (/** @type {string} */ column, size = 1) => read(`marks.${key}.${column}`, count * size);
    marks.set(key, {
      y: of("y"),
      ...(has("a") || has("b") ? { a: of("a", 3), b: of("b", 3) } : { places: of("places", 3) }),
      ...(has("age") ? { age: of("age") } : {}),
      ...(has("angle") ? { angle: of("angle") } : {}),
    });
  }
  /** @type {Uint8Array|null} */
  const present = arrays.present ? read("present", n) : null;
  if (arrays.rows) return firstLook(header, marks, readArray(buffer, offset, arrays.rows[1] * 3, "int16"), read);
  return {
    header,
    marks,
    xyz: /** @type {Int16Array} */ (readArray(buffer, offset, n * 3, "int16")),
    predictions: header.predictions
      ? /** @type {Uint16Array} */ (readArray(buffer, offset + n * 6, n, "uint16"))
      : null,
    confidence: arrays.confidence ? read("confidence", n) : null,
    loss: arrays.loss ? read("loss", n) : null,
    present,
    rows: null,
    absent: present ? present.reduce((/** @type {number} */ sum, there) => sum + (there ? 0 : 1), 0) : 0,
  };
}

/**
 * A frame of which only some points have come: all others are absent for now.
 * @param {any} header @param {Frame["marks"]} marks @param {any} places @returns {Frame}
 * @param {(name: string, count: number) => any} read
 */
function firstLook(header, marks, places, read) {
  const { n, arrays } = header,
    rows = Uint32Array.from(/** @type {Int32Array} */ (read("rows", arrays.rows[1]))),
    xyz = new Int16Array(n * 3),
    present = new Uint8Array(n);
  rows.forEach((row, i) => {
    if (row >= n) throw new Error(`A first look at ${header.run} names the sample ${row}; it has ${n}.`);
    present[row] = 1;
    for (let k = 0; k < 3; k++) xyz[row * 3 + k] = places[i * 3 + k];
  });
  return {
    header,
    marks,
    xyz,
    predictions: null,
    confidence: null,
    loss: null,
    present,
    rows,
    absent: n - rows.length,
  };
}

/** Copies, so that a message of some megabytes is not kept alive by its arrays. @returns {RunInfo}
 * @param {ArrayBuffer} buffer @param {any} header @param {number} offset where the payload starts */
export function readRun(buffer, header, offset) {
  /** @param {string} name */
  const read = (name) => {
    const spec = header.arrays?.[name];
    return spec ? readArray(buffer, offset + spec[0], spec[1], spec[2]).slice() : null;
  };
  const labels = /** @type {Uint16Array} */ (read("labels") ?? new Uint16Array(header.n ?? 0));
  const split = /** @type {Uint8Array} */ (read("split") ?? new Uint8Array(labels.length));
  if (split.length !== labels.length)
    throw new Error(
      `Run ${header.run} has ${labels.length} labels and ${split.length} split marks; they must be as many.`,
    );
  const given = /** @type {Int32Array|null} */ (read("ids"));
  // Samples that are counted need no numbers of their own, of which a table of all would be made.
  const ids = given?.every((id, i) => id === i) ? null : given;
  const thumbs = /** @type {Uint8Array|null} */ (header.thumb ? read("thumbs") : null);
  const labelSets = /** @type {Uint8Array|null} */ (read("label_sets"));
  if (labelSets && labelSets.length !== labels.length * Math.ceil(header.num_classes / 8))
    throw new Error(
      `Run ${header.run} has ${labelSets.length} bytes of label sets for ${labels.length} samples of ` +
        `${header.num_classes} classes.`,
    );
  return { header, labels, split, ids, thumbs, labelSets, attributes: readAttributes(header, read, labels.length) };
}

/**
 * @param {any} header @param {(name: string) => any} read @param {number} n samples
 * @returns {import("../common/types.js").Attribute[]}
 */
const readAttributes = ({ run, attributes = [] }, read, n) =>
  attributes.map((/** @type {import("../common/messages.js").AttributeHeader} */ about, /** @type {number} */ i) => {
    const { name, texts = null, low = 0, high = 0 } = about;
    const values = read(`attribute.${i}`);
    if (values?.length !== n)
      throw new Error(
        `Run ${run} has ${values?.length ?? 0} values of "${name}" for ${n} samples; they must be as many.`,
      );
    return { name, texts, values, low, high };
  });
