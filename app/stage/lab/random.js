/** Random numbers from a seed: the same in Python (tests/geometry_lab/write_cases.py), so that trajectories can be compared. Pure. */

/** A stream of uniform numbers: mulberry32, whose state is one 32-bit word. */
export class Random {
  /** @param {number} seed */
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /** @returns {number} in [0, 1) */
  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Fills an array with normal numbers, by Box and Muller: two uniform ones for each. @param {Float64Array} out */
  normals(out) {
    for (let i = 0; i < out.length; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
      out[i] = radius * Math.cos(2 * Math.PI * this.uniform());
    }
    return out;
  }

  /**
   * Index of the share in which a uniform number falls. @param {Float64Array} cumulative rising, the last one the total
   */
  pick(cumulative) {
    const at = this.uniform() * cumulative[cumulative.length - 1];
    let low = 0,
      high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle] <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
