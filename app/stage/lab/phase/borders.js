/** The imbalance beyond which theory predicts that rare classes share one point, as `ltviz.geometry.phase.border`. Pure. */
import { unit } from "../theory/descent.js";
import { Collapsed } from "../theory/contrast.js";
import { Ball } from "./ball.js";
import { isKnown, sharesOf, temperatureOf } from "./plane.js";

/** @typedef {import("./plane.js").Plane} Plane */

/** Imbalance up to which a border is looked for, and how near its logarithm. */
const FARTHEST = 1e12,
  NEAR = 1e-9,
  MOST_TURNS = 80;

/** @param {Plane} plane @param {number} row temperature, dimension or energy
 * @returns {number|null} infinity: they never are; null: theory says nothing of it */
export function border(plane, row) {
  if (!isKnown(plane, row)) return null;
  const size = Float64Array.of(plane.heads, plane.tails);
  return rootOf(plane.loss === "ce" ? excessOfEntropy(size, row) : excessOfContrast(plane, row, size));
}

/** @param {Float64Array} size of the groups @param {number} energy */
const excessOfEntropy = (size, energy) => (/** @type {number} */ log) => {
  const ball = new Ball(Float64Array.of(1, Math.exp(-log)), size, Math.sqrt(energy));
  return log + Math.log(ball.slope(ball.minimum((group) => group === 0 && size[0] > 1)));
};

/** @param {Plane} plane @param {number} row @param {Float64Array} size */
const excessOfContrast = (plane, row, size) => (/** @type {number} */ log) => {
  const { weights, masses } = sharesOf(plane, [1, Math.exp(-log)], size);
  return new Together(weights, masses, size, temperatureOf(plane, row)).parting();
};

/** Contrast of heads and tails, the tails held on one point. */
class Together extends Collapsed {
  /** @param {number} at */
  opens(at) {
    return at < this.width && super.opens(at);
  }

  start() {
    const x = super.start();
    x[2 * this.width - 1] = 0;
    return unit(x, this.width);
  }

  /** How much the loss grows, to second order, where the tails part: below 0 it falls. */
  parting() {
    const { k, width, size, weight, tau, bend, shares } = this,
      x = this.minimum(),
      { gradient, stiffness } = this.at(x),
      a = 1;
    let pull = 0,
      product = 0;
    for (let i = a * width; i < (a + 1) * width; i++) pull += x[i] * gradient[i];
    for (let i = 0; i < k; i++) product += x[i] * x[width + i];
    const other = Math.exp(shares[a * k] + (product - 1) / tau),
      own = Math.exp(shares[a * k + a]);
    return (-size[a] * weight[a] * (own / (1 + other + own)) * bend[a] - pull) / stiffness[a];
  }
}

/** The ratio at which a function of its logarithm turns from below to above 0. @param {(log: number) => number} excess */
function rootOf(excess) {
  let low = 1e-3,
    high = 1,
    below = excess(low),
    above = excess(high);
  while (above < 0) {
    [low, below] = [high, above];
    high += 1.5;
    if (high > Math.log(FARTHEST) + 1.5) return Infinity;
    above = excess(high);
  }
  // Chords, where the end that stays counts half (Illinois).
  for (let turn = 0, side = 0; turn < MOST_TURNS && high - low > NEAR; turn++) {
    const at = (low * above - high * below) / (above - below),
      here = excess(at);
    if (here === 0) return Math.exp(at);
    if (here < 0) {
      [low, below] = [at, here];
      if (side < 0) above /= 2;
      side = -1;
    } else {
      [high, above] = [at, here];
      if (side > 0) below /= 2;
      side = 1;
    }
  }
  return Math.exp((low * above - high * below) / (above - below));
}
