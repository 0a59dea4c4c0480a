/**
 * Cross-entropy in norm balls, the layer-peeled model: the program of `theory/peeled.js` without its penalty, on the
 * sphere of one energy. As `ltviz.geometry.predicted.peeled`. Pure.
 */
import { descend, unit } from "../theory/descent.js";
import { nudge } from "../theory/groups.js";
import { Peeled } from "../theory/peeled.js";

/** Length of the last step of a descent. */
const TOLERANCE = 1e-7;

export class Ball {
  /** @param {Float64Array} counts samples of one class of each group @param {Float64Array} size classes in each
   * @param {number} energy √(E_W E_H) */
  constructor(counts, size, energy) {
    const none = new Float64Array(size.length);
    this.peeled = new Peeled({ weight: counts, charge: none.map(() => 1), prior: none }, size, 0, 1);
    /** Of the nuclear norm of the logits. */
    this.bound = energy * size.reduce((sum, n) => sum + n, 0);
    this.radius = Math.sqrt(2 * this.bound);
  }

  /** The loss at a point of unit length. @param {Float64Array} x @returns {import("../theory/descent.js").Local} */
  at(x) {
    const { peeled, radius } = this,
      scaled = (/** @type {Float64Array} */ v) => v.map((one) => radius * one),
      local = peeled.at(scaled(x)),
      gradient = scaled(local.gradient),
      most = gradient.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-300);
    return {
      value: local.value,
      gradient,
      hessian: (d) => scaled(local.hessian(scaled(d))),
      stiffness: Float64Array.of(most),
    };
  }

  /** @param {Float64Array} start @returns {Float64Array} of unit length */
  descend(start) {
    return descend(start, start.length, (x) => this.at(x), { tolerance: TOLERANCE });
  }

  /** Where the members of a group may part, or stay together. @param {(group: number) => boolean} opens
   * @returns {Float64Array} of unit length */
  minimum(opens) {
    const { k } = this.peeled,
      at = 2 * k * k;
    /** @type {Float64Array} */
    let x = this.peeled.start();
    for (let g = 0; g < k; g++) if (!opens(g)) x[at + g] = 0;
    const kind = (/** @type {number} */ i) => (i < at ? 1 : opens(i - at) ? 2 : 0);
    for (let turn = 0; turn < 2; turn++) x = this.descend(nudge(unit(x, x.length), 1e-3 / Math.sqrt(x.length), kind));
    return x;
  }

  /** How fast the loss falls where the nuclear norm may grow. @param {Float64Array} x of unit length */
  slope(x) {
    const { gradient } = this.at(x);
    return (-0.5 * x.reduce((sum, v, i) => sum + v * gradient[i], 0)) / this.bound;
  }
}
