/** The samples nearest to one sample, on the sphere. Pure. */

/** As many are shown and counted. */
export const NEIGHBOURS = 8;

/**
 * @param {Int16Array} xyz @param {number} index of the sample @param {number} count
 * @returns {number[]} indices of the nearest others, nearest first; fewer where there are not so many
 */
export function nearestSamples(xyz, index, count) {
  const x = xyz[3 * index], y = xyz[3 * index + 1], z = xyz[3 * index + 2];
  /** @type {[number, number][]} squared distance and index, sorted */
  const best = [];
  for (let i = 0; i < xyz.length / 3; i++) {
    if (i === index) continue;
    const off = (xyz[3 * i] - x) ** 2 + (xyz[3 * i + 1] - y) ** 2 + (xyz[3 * i + 2] - z) ** 2;
    if (best.length === count && off >= best[count - 1][0]) continue;
    best.push([off, i]);
    best.sort((a, b) => a[0] - b[0]);
    if (best.length > count) best.pop();
  }
  return best.map(([, i]) => i);
}

/** How many of a sample's neighbours are of its own class. @param {number[]} neighbours @param {Uint16Array} labels @param {number} index */
export const sameClass = (neighbours, labels, index) => neighbours.filter((i) => labels[i] === labels[index]).length;
