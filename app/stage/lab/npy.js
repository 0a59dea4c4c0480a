/** A numpy file of float64 rows. Pure. */

/** @param {Float64Array} rows @param {number} n @param {number} dim @returns {Uint8Array<ArrayBuffer>} what `numpy.load` reads */
export function npyOf(rows, n, dim) {
  const described = `{'descr': '<f8', 'fortran_order': False, 'shape': (${n}, ${dim}), }`;
  // Magic, version and length take ten bytes; numbers begin at a multiple of 64.
  const size = Math.ceil((10 + described.length + 1) / 64) * 64,
    out = new Uint8Array(size + 8 * n * dim),
    view = new DataView(out.buffer);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  view.setUint16(8, size - 10, true);
  const text = `${described.padEnd(size - 11)}\n`;
  for (let i = 0; i < text.length; i++) out[10 + i] = text.charCodeAt(i);
  for (let i = 0; i < n * dim; i++) view.setFloat64(size + 8 * i, rows[i], true);
  return out;
}
