/** Classes with one count are exchangeable: in the minimum of a convex loss all of a group stand alike. Pure. */
import { Random } from "../random.js";
import { simplex } from "../targets.js";

export class Groups {
  /** @param {ArrayLike<number>} counts above 0 */
  constructor(counts) {
    /** Samples of one class of each group, most first. */
    this.counts = [...new Set(Array.from(counts))].sort((a, b) => b - a);
    /** The group of each class. */
    this.member = Array.from(counts, (n) => this.counts.indexOf(n));
    /** Classes in each group. */
    this.size = Float64Array.from(this.counts, (_, g) => this.member.filter((m) => m === g).length);
    /** One class of each group. */
    this.first = this.counts.map((_, g) => this.member.indexOf(g));
    this.number = this.counts.length;
  }

  /**
   * Rows of classes: of the group's centre, and of a regular simplex around it in dimensions of its own, whose members
   * are so far from it. @param {Float64Array} centre (K, width) @param {number} width @param {Float64Array} within (K)
   * @returns {{rows: Float64Array, dim: number}}
   */
  spread(centre, width, within) {
    const dim = width + this.size.reduce((sum, n) => sum + n - 1, 0),
      rows = new Float64Array(this.member.length * dim);
    let at = width;
    this.counts.forEach((_, g) => {
      const size = this.size[g],
        corners = size > 1 ? simplex(size, size - 1) : new Float64Array(0);
      let member = 0;
      this.member.forEach((group, c) => {
        if (group !== g) return;
        for (let k = 0; k < width; k++) rows[c * dim + k] = centre[g * width + k];
        for (let k = 0; k < size - 1; k++) rows[c * dim + at + k] = within[g] * corners[member * (size - 1) + k];
        member++;
      });
      at += size - 1;
    });
    return { rows, dim };
  }
}

/** A little beside, the same at each call; what tells how far members of a group are apart stays above 0.
 * @param {Float64Array} x @param {number} by @param {(at: number) => number} opens of a number: 1 any, 0 none, 2 above 0 */
export function nudge(x, by, opens) {
  const noise = new Random(1).normals(new Float64Array(x.length));
  return x.map((v, at) => v + by * (opens(at) === 2 ? Math.abs(noise[at]) : opens(at) * noise[at]));
}
