/** Grey images of samples as addresses for <img>: an 8-bit BMP needs no encoder. Pure. */

const HEADER = 54, PALETTE = 1024;

/** @param {Uint8Array} pixels h rows of w grey levels, top row first @param {number} h @param {number} w @returns {Uint8Array} a BMP file */
export function greyBitmap(pixels, h, w) {
  const row = (w + 3) & ~3, file = new Uint8Array(HEADER + PALETTE + row * h), view = new DataView(file.buffer);
  file.set([0x42, 0x4d]);
  view.setUint32(2, file.length, true);
  view.setUint32(10, HEADER + PALETTE, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, w, true);
  view.setInt32(22, h, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 8, true);
  view.setUint32(34, row * h, true);
  view.setUint32(46, 256, true);
  for (let i = 0; i < 256; i++) file.set([i, i, i, 0], HEADER + i * 4);
  // A BMP stores its bottom row first.
  for (let y = 0; y < h; y++) file.set(pixels.subarray(y * w, (y + 1) * w), HEADER + PALETTE + (h - 1 - y) * row);
  return file;
}

/** @param {import("./types.js").RunInfo} info @param {number} index @returns {string|null} data: address of the sample's image */
export function thumbnailOf(info, index) {
  const size = info.header.thumb;
  if (!info.thumbs || !size) return null;
  const [h, w] = size, pixels = info.thumbs.subarray(index * h * w, (index + 1) * h * w);
  if (pixels.length < h * w) return null;
  return `data:image/bmp;base64,${btoa(String.fromCharCode(...greyBitmap(pixels, h, w)))}`;
}
