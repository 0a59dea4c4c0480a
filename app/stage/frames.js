/** Takes a stream message apart: uint32 length, JSON header, then the payload the header describes. Pure. */

/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").RunInfo} RunInfo */

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
  if (!Type) throw new Error(`A stream array has the type "${type}", which is none of ${Object.keys(TYPES).join(", ")}.`);
  const bytes = count * Type.BYTES_PER_ELEMENT;
  if (!(offset >= 0 && count >= 0) || offset + bytes > buffer.byteLength)
    throw new Error(`A stream array of ${count} ${type} from byte ${offset} does not fit into ${buffer.byteLength} bytes.`);
  if (offset % Type.BYTES_PER_ELEMENT === 0) return new Type(buffer, offset, count);
  return new Type(buffer.slice(offset, offset + bytes));
}

/** @param {ArrayBuffer} buffer @param {any} header @param {number} offset @returns {Frame} */
export function readFrame(buffer, header, offset) {
  const xyz = /** @type {Int16Array} */ (readArray(buffer, offset, header.n * 3, "int16"));
  const predictions = header.predictions
    ? /** @type {Uint16Array} */ (readArray(buffer, offset + header.n * 6, header.n, "uint16"))
    : null;
  return { header, xyz, predictions };
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
    throw new Error(`Run ${header.run} has ${labels.length} labels and ${split.length} split marks; they must be as many.`);
  const ids = /** @type {Int32Array|null} */ (read("ids"));
  const thumbs = /** @type {Uint8Array|null} */ (header.thumb ? read("thumbs") : null);
  return { header, labels, split, ids, thumbs };
}
