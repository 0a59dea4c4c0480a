/**
 * What a loss is asked: how the points lie to one another, and how many samples each stands for. Here are the products
 * of rows, and the way back from them to the rows; a loss itself sees numbers alone. Pure; nothing is allocated while
 * it runs. How the losses follow from those of `ltviz.losses` stands in COLLAPSED.md.
 */

import { addRows, products } from "./products.js";

/** Views of each image, as in every contrastive method. */
export const VIEWS = 2;

/** Which part of a gradient is wanted. */
export const PART = { ALL: 0, PULL: 1, PUSH: 2 };

/**
 * @typedef {object} Options   of a loss; those that it does not know it ignores
 * @property {number} temperature
 * @property {"sample"|"class"} average  over anchors, or over classes of the mean over their anchors
 * @property {number} k                  positives drawn from a queue
 * @property {number} targetWeight
 * @property {boolean} classAveraging
 * @property {boolean} complement        every class has a prototype in every batch
 * @property {boolean} tied              prototypes are the class means
 * @property {"class"|"instance"|"both"} negatives
 * @property {boolean} lengths           targets longer the rarer the class
 * @property {number} tau                strength of a prior
 * @property {number} decay
 * @property {"class"|"sample"} decayBy
 * @property {boolean} vanish          the decay falls to nothing as time goes on
 * @property {number} spread             of the uniformity's kernel
 */

export class Problem {
  /**
   * @param {Int32Array} y class of each row @param {Float64Array} stored training samples that each row stands for
   * @param {number} classes @param {number} dim
   */
  constructor(y, stored, classes, dim) {
    const rows = (this.rows = y.length);
    this.y = y;
    this.stored = stored;
    this.classes = classes;
    this.dim = dim;
    /** Training samples of each class. */
    this.counts = new Float64Array(classes);
    for (let i = 0; i < rows; i++) this.counts[y[i]] += stored[i];
    this.total = this.counts.reduce((sum, n) => sum + n, 0);
    this.logPrior = this.counts.map((n) => Math.log(Math.max(n / this.total, 1e-12)));
    /** Rows of the batch at each place, views counted: the whole training set until a batch is drawn. */
    this.batch = stored.map((n) => VIEWS * n);
    /** The same of each class. */
    this.byClass = new Float64Array(classes);
    this.size = 0;
    /** What each place weighs in the mean over anchors. */
    this.weight = new Float64Array(rows);
    /** Products of rows with rows, and of rows with the C columns; beside them the derivatives by these. */
    this.S = new Float64Array(rows * rows);
    this.dS = new Float64Array(rows * rows);
    this.T = new Float64Array(rows * classes);
    this.dT = new Float64Array(rows * classes);
    /** Terms of one anchor's sum: rows, then columns. */
    this.terms = new Float64Array(rows + classes);
    this.perClass = new Float64Array(classes);
    this.part = PART.ALL;
    /** @type {"sample"|"class"} */
    this.average = "sample";
    this.count();
  }

  /** The whole training set is the batch. */
  takeAll() {
    for (let i = 0; i < this.rows; i++) this.batch[i] = VIEWS * this.stored[i];
    this.count();
  }

  /**
   * Draws a batch of images, each class as often as it is. @param {number} size @param {import("./random.js").Random}
   * random @param {Float64Array} cumulative of `stored`
   */
  draw(size, random, cumulative) {
    this.batch.fill(0);
    for (let i = 0; i < size; i++) this.batch[random.pick(cumulative)] += VIEWS;
    this.count();
  }

  /** What follows from the batch. */
  count() {
    const { rows, y, batch, byClass, weight } = this;
    byClass.fill(0);
    let size = 0;
    for (let i = 0; i < rows; i++) {
      byClass[y[i]] += batch[i];
      size += batch[i];
    }
    this.size = size;
    let present = 0;
    for (let c = 0; c < this.classes; c++) if (byClass[c] > 0) present++;
    for (let i = 0; i < rows; i++)
      weight[i] =
        batch[i] === 0 ? 0 : this.average === "class" ? batch[i] / (byClass[y[i]] * present) : batch[i] / size;
  }

  /** @param {"sample"|"class"} average */
  averageOver(average) {
    this.average = average;
    this.count();
  }

  /** Products of all rows with one another. @param {Float64Array} u (rows, dim) */
  multiplyRows(u) {
    const { rows, dim, S } = this;
    for (let i = 0; i < rows; i++) {
      products(u, i * dim, u, i, rows, dim, S, i * rows);
      for (let j = i + 1; j < rows; j++) S[j * rows + i] = S[i * rows + j];
    }
    this.dS.fill(0);
  }

  /** Products of all rows with the columns. @param {Float64Array} u (rows, dim) @param {Float64Array} x (classes, dim) */
  multiplyColumns(u, x) {
    const { rows, classes, dim, T } = this;
    for (let i = 0; i < rows; i++) products(u, i * dim, x, 0, classes, dim, T, i * classes);
    this.dT.fill(0);
  }

  /** The columns are the rows: their products too. */
  copyColumns() {
    this.T.set(this.S);
    this.dT.fill(0);
  }

  /** The columns are the rows: what `dT` means for one means the same for the other. */
  mergeColumns() {
    const { dS, dT } = this;
    for (let at = 0; at < dS.length; at++) dS[at] += dT[at];
  }

  /** Adds what `dS` means for the rows. @param {Float64Array} u @param {Float64Array} gradient (rows, dim) */
  backRows(u, gradient) {
    const { rows, dim, dS } = this;
    for (let i = 0; i < rows; i++)
      for (let j = i; j < rows; j++) dS[i * rows + j] = dS[j * rows + i] = dS[i * rows + j] + dS[j * rows + i];
    for (let i = 0; i < rows; i++) addRows(gradient, i * dim, dS, i * rows, u, rows, dim);
  }

  /**
   * Adds what `dT` means for rows and columns. @param {Float64Array} u @param {Float64Array} x
   * @param {Float64Array} gradient (rows, dim) @param {Float64Array|null} gradientX (classes, dim); null: they are fixed
   */
  backColumns(u, x, gradient, gradientX) {
    const { rows, classes, dim, T, dT } = this;
    for (let i = 0; i < rows; i++) addRows(gradient, i * dim, dT, i * classes, x, classes, dim);
    if (!gradientX) return;
    // Turned over, so that the same loop runs along the rows; the products are not needed any more.
    for (let i = 0; i < rows; i++) for (let c = 0; c < classes; c++) T[c * rows + i] = dT[i * classes + c];
    for (let c = 0; c < classes; c++) addRows(gradientX, c * dim, T, c * rows, u, rows, dim);
  }

  /**
   * log of the sum of exp(terms), which are left as the share that each has of it; minus infinity stands for nothing.
   * @param {number} count of the terms that are in use
   */
  sumUp(count) {
    const { terms } = this;
    let most = -Infinity;
    for (let j = 0; j < count; j++) if (terms[j] > most) most = terms[j];
    if (most === -Infinity) return -Infinity;
    let sum = 0;
    for (let j = 0; j < count; j++) sum += terms[j] = terms[j] === -Infinity ? 0 : Math.exp(terms[j] - most);
    for (let j = 0; j < count; j++) terms[j] /= sum;
    return most + Math.log(sum);
  }
}
