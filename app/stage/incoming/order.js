/** In which order many points are drawn, so that however few of them stand for all: every class is among them. Pure. */

/** Classes show themselves with so many points at once. */
const SURE = 2;
const BUCKETS = 1 << 16;
/** Multiples of it, modulo 1, lie evenly however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Of a class of n points any first part of the order holds about as large a share as of all, spread evenly over the
 * class as it comes; and two of each class come before all others.
 * @param {Uint16Array} labels classes of points; any number is a class @returns {Uint32Array} indices of points
 */
export function drawingOrder(labels) {
  const seen = new Map(),
    keys = new Uint16Array(labels.length),
    starts = new Uint32Array(BUCKETS + 1);
  labels.forEach((label, i) => {
    const place = seen.get(label) ?? 0;
    seen.set(label, place + 1);
    // Classes begin at places of their own, or small ones would all come at once.
    const turn = place < SURE ? 0 : 1 + (((place + label * GOLDEN) * GOLDEN) % 1) * (BUCKETS - 2);
    keys[i] = turn;
    starts[keys[i] + 1]++;
  });
  for (let key = 0; key < BUCKETS; key++) starts[key + 1] += starts[key];
  const order = new Uint32Array(labels.length);
  keys.forEach((key, i) => (order[starts[key]++] = i));
  return order;
}
