/** The samples nearest to one sample, on the sphere. */

import { isAbsent } from "./attributes.js";

/** @typedef {import("../incoming/runs.js").Run} Run */

/** As many are shown and counted. */
export const NEIGHBOURS = 8;

/**
 * @param {Int16Array} xyz @param {number} index of the sample @param {number} count
 * @param {(index: number) => boolean} [skipped] samples that are not there
 * @returns {number[]} indices of the nearest others, nearest first; fewer where there are not so many
 */
export function nearestSamples(xyz, index, count, skipped = () => false) {
  const x = xyz[3 * index],
    y = xyz[3 * index + 1],
    z = xyz[3 * index + 2];
  /** @type {[number, number][]} squared distance and index, sorted */
  const best = [];
  for (let i = 0; i < xyz.length / 3; i++) {
    if (i === index || skipped(i)) continue;
    const off = (xyz[3 * i] - x) ** 2 + (xyz[3 * i + 1] - y) ** 2 + (xyz[3 * i + 2] - z) ** 2;
    if (best.length === count && off >= best[count - 1][0]) continue;
    best.push([off, i]);
    best.sort((a, b) => a[0] - b[0]);
    if (best.length > count) best.pop();
  }
  return best.map(([, i]) => i);
}

/** How many of a sample's neighbours are of its own class; ask it of labelled samples.
 * @param {number[]} neighbours @param {Uint16Array} labels @param {number} index */
export const sameClass = (neighbours, labels, index) => neighbours.filter((i) => labels[i] === labels[index]).length;

/** Neighbours of a sample in a run's frame; looked for once a frame, though asked for at every picture.
 * @param {Run} run @param {number} index @returns {number[]} */
export function neighboursOf(run, index) {
  const { frame } = run;
  if (!frame || index >= frame.header.n || isAbsent(frame, index)) return [];
  if (run.near?.of !== frame || run.near.index !== index)
    run.near = { of: frame, index, found: nearestSamples(frame.xyz, index, NEIGHBOURS, (i) => isAbsent(frame, i)) };
  return run.near.found;
}
