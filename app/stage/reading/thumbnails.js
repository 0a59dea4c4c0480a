/** Images of samples as addresses for <img>: a BMP needs no encoder. Pure. */

const HEADER = 54,
  PALETTE = 1024;

/** A BMP that lacks its pixels. @param {number} h @param {number} w @param {1|3} depth bytes a pixel
 * @returns {{file: Uint8Array, at: (y: number) => number}} at: where in the file a row of the picture goes */
function emptyBitmap(h, w, depth) {
  const palette = depth === 1 ? PALETTE : 0,
    row = (w * depth + 3) & ~3,
    start = HEADER + palette;
  const file = new Uint8Array(start + row * h),
    view = new DataView(file.buffer);
  file.set([0x42, 0x4d]);
  view.setUint32(2, file.length, true);
  view.setUint32(10, start, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, w, true);
  view.setInt32(22, h, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 8 * depth, true);
  view.setUint32(34, row * h, true);
  view.setUint32(46, palette / 4, true);
  // A BMP stores its bottom row first.
  return { file, at: (y) => start + (h - 1 - y) * row };
}

/**
 * @param {Uint8Array} pixels h rows of w grey levels, top row first @param {number} h @param {number} w
 * @returns {Uint8Array} a BMP file
 */
export function greyBitmap(pixels, h, w) {
  const { file, at } = emptyBitmap(h, w, 1);
  for (let i = 0; i < 256; i++) file.set([i, i, i, 0], HEADER + i * 4);
  for (let y = 0; y < h; y++) file.set(pixels.subarray(y * w, (y + 1) * w), at(y));
  return file;
}

/**
 * @param {Uint8Array} pixels h rows of w times red, green and blue, top row first @param {number} h @param {number} w
 * @returns {Uint8Array} a BMP file
 */
export function colourBitmap(pixels, h, w) {
  const { file, at } = emptyBitmap(h, w, 3);
  // It stores blue first.
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) file.set(pixels.slice(3 * (y * w + x), 3 * (y * w + x + 1)).reverse(), at(y) + 3 * x);
  return file;
}

/**
 * @param {import("../common/types.js").RunInfo} info @param {number} index
 * @returns {string|null} data: address of the sample's image
 */
export function thumbnailOf(info, index) {
  const size = info.header.thumb;
  if (!info.thumbs || !size) return null;
  const [h, w, depth = 1] = size,
    bytes = h * w * depth,
    pixels = info.thumbs.subarray(index * bytes, (index + 1) * bytes);
  if (pixels.length < bytes) return null;
  return `data:image/bmp;base64,${btoa(String.fromCharCode(...(depth === 3 ? colourBitmap : greyBitmap)(pixels, h, w)))}`;
}
