/**
 * One loss that moves points: the state, the gradient and the step. The points are unit rows, or for cross-entropy free
 * features; each class is one point, or several samples. Pure; steps allocate nothing.
 */
import { charge, decayAt } from "./losses/classifiers.js";
import { LOSSES } from "./losses/list.js";
import { matchTargets } from "./matching.js";
import { PART, Problem } from "./problem.js";
import { Random } from "./random.js";
import { classMeans, tangent, unitRow, unitRows } from "./space.js";

/** @typedef {import("./problem.js").Options} Options */
/**
 * @typedef {object} Setup   what a simulation is built of; other values of these build another one
 * @property {string} loss       key of LOSSES
 * @property {number[]} counts   training samples of each class
 * @property {number} dim
 * @property {number} points     samples of each class that are simulated; 1: the class is one point
 * @property {boolean} free      each sample goes its own way; else it is its class's mean and fresh noise
 * @property {number} seed       of start, noise and batches
 * @property {Float64Array} start  (classes, dim) normal numbers: where the classes begin
 * @property {Float64Array} columns  (classes, dim) normal numbers: where prototypes and classifier begin
 * @property {Float64Array} targets  (classes, dim) unit rows
 */
/**
 * @typedef {object} Motion   how it moves; may change while it runs
 * @property {number} batch      images; 0: the whole training set
 * @property {number} noise      length of the noise around a mean, in radii
 * @property {"descent"|"auto"|"adam"} mover
 * @property {number} rate       step size
 * @property {number} horizon    steps in which Adam's rate falls to nothing; 0: it stays
 * @property {number} matchEvery steps between two matchings
 */

/** Of Adam, as the measurements of this geometry have it. */
const BETA1 = 0.9,
  BETA2 = 0.99,
  EPSILON = 1e-30;
/** What is left of the rate at the end of the horizon, so that a class that is pushed goes on. */
const LEAST = 1e-5;
/** The automatic rate: so much larger where the last step went the right way, so much smaller where it went too far. */
const GROW = 1.08,
  SHRINK = 0.5,
  FIRST = 0.02,
  /** The farthest that a point may go in one automatic step, in radii. */
  FARTHEST = 0.2;

export class Simulation {
  /** @param {Setup} setup @param {Motion} motion @param {Options} options */
  constructor(setup, motion, options) {
    this.setup = setup;
    this.loss = LOSSES[setup.loss];
    const { counts, dim, points, start } = setup,
      classes = counts.length;
    this.classes = classes;
    this.dim = dim;
    const each = counts.map((n) => Math.max(1, Math.min(points, Math.floor(n))));
    const y = Int32Array.from(counts.flatMap((_, c) => Array(each[c]).fill(c)));
    const stored = Float64Array.from(y, (c) => counts[c] / each[c]);
    this.problem = new Problem(y, stored, classes, dim);
    this.rows = y.length;
    this.sphere = this.loss.columns !== "classifier";
    /** Whether the parameters are the class means, and the rows their samples. */
    this.tiedRows = this.rows > classes && !setup.free;
    this.random = new Random(setup.seed);
    const mean = Float64Array.from(start);
    if (this.sphere) unitRows(mean, dim, mean);
    /** Parameters: free vectors, whose directions are the points. */
    this.x = this.tiedRows || this.rows === classes ? mean : this.spread(mean, motion.noise);
    this.u = new Float64Array(this.rows * dim);
    this.noise = new Float64Array(this.tiedRows ? this.rows * dim : 0);
    this.lengths = new Float64Array(this.rows).fill(1);
    this.gradient = new Float64Array(this.rows * dim);
    this.gradientX = new Float64Array(this.x.length);
    /** The C columns beside the points, their parameters and gradient. */
    this.columns = this.startColumns(setup);
    this.cx = Float64Array.from(this.columns);
    this.gradientColumns = new Float64Array(classes * dim);
    this.means = new Float64Array(classes * dim);
    this.meanLengths = new Float64Array(classes);
    this.cumulative = new Float64Array(this.rows);
    stored.reduce((sum, n, i) => (this.cumulative[i] = sum + n), 0);
    /** @type {Int32Array} which target is whose */
    this.assigned = Int32Array.from(counts, (_, c) => c);
    this.moments = [this.x, this.cx].map(({ length }) => ({
      first: new Float64Array(length),
      second: new Float64Array(length),
    }));
    this.before = new Float64Array(this.x.length + this.cx.length);
    this.steps = 0;
    /** Steps since something was changed: Adam's rate begins anew there. */
    this.since = 0;
    this.autoRate = FIRST;
    this.value = NaN;
    this.motion = motion;
    this.options = options;
    /** Prototypes that are the means of the points; and columns that are moved by their own gradient. */
    this.tied = this.moving = false;
    this.setMotion(motion);
    this.setOptions(options);
  }

  /** @param {Setup} setup */
  startColumns({ columns, targets, dim }) {
    const kind = this.loss.columns;
    if (kind === "targets") return Float64Array.from(targets);
    return kind === "classifier" ? Float64Array.from(columns) : unitRows(columns, dim);
  }

  /** Free samples begin around their class. @param {Float64Array} mean @param {number} noise */
  spread(mean, noise) {
    const { rows, dim } = this,
      x = this.random.normals(new Float64Array(rows * dim));
    for (let i = 0; i < rows; i++) {
      const c = this.problem.y[i];
      for (let k = 0; k < dim; k++) x[i * dim + k] = mean[c * dim + k] + (noise * x[i * dim + k]) / Math.sqrt(dim);
    }
    return this.sphere ? unitRows(x, dim, x) : x;
  }

  /** @param {Motion} motion */
  setMotion(motion) {
    this.motion = motion;
    if (!motion.batch) this.problem.takeAll();
  }

  /** @param {Options} options */
  setOptions(options) {
    this.options = options;
    const { loss } = this;
    this.tied = loss.columns === "prototypes" && options.tied;
    this.moving =
      loss.columns === "classifier" || loss.columns === "weights" || (loss.columns === "prototypes" && !this.tied);
    this.problem.averageOver(loss.options.includes("average") ? options.average : "sample");
    this.reheat();
  }

  /** Something is another than before: the rate begins anew. */
  reheat() {
    this.since = 0;
    this.autoRate = Math.min(this.autoRate, 1);
    for (const { first, second } of this.moments) {
      first.fill(0);
      second.fill(0);
    }
    this.before.fill(0);
  }

  /** Rows and columns as they follow from the parameters. */
  place() {
    const { x, u, dim, rows, problem, lengths, noise } = this;
    if (!this.sphere) {
      for (let i = 0; i < rows; i++) {
        const from = this.tiedRows ? problem.y[i] : i;
        for (let k = 0; k < dim; k++) u[i * dim + k] = x[from * dim + k] + (this.tiedRows ? noise[i * dim + k] : 0);
      }
    } else if (this.tiedRows) {
      for (let i = 0; i < rows; i++) {
        const c = problem.y[i];
        let square = 0;
        for (let k = 0; k < dim; k++) square += x[c * dim + k] * x[c * dim + k];
        const scale = 1 / (Math.sqrt(square) || 1);
        for (let k = 0; k < dim; k++) u[i * dim + k] = x[c * dim + k] * scale + noise[i * dim + k];
        lengths[i] = unitRow(u, i, dim, u);
      }
    } else for (let i = 0; i < rows; i++) unitRow(x, i, dim, u);
    if (this.tied) this.placeMeans();
    else if (this.loss.columns === "classifier") this.columns.set(this.cx);
    else if (this.moving) unitRows(this.cx, dim, this.columns);
  }

  placeMeans() {
    const { u, dim, classes, columns, problem, meanLengths } = this;
    if (this.rows === classes) return void columns.set(u);
    columns.fill(0);
    for (let i = 0; i < this.rows; i++) {
      const c = problem.y[i],
        share = problem.stored[i] / problem.counts[c];
      for (let k = 0; k < dim; k++) columns[c * dim + k] += share * u[i * dim + k];
    }
    for (let c = 0; c < classes; c++) meanLengths[c] = unitRow(columns, c, dim, columns);
  }

  /** Draws what is drawn anew at each step. */
  draw() {
    const { motion, problem, noise, dim } = this;
    if (motion.batch) problem.draw(motion.batch, this.random, this.cumulative);
    if (!this.tiedRows) return;
    this.random.normals(noise);
    const scale = motion.noise / Math.sqrt(dim);
    for (let i = 0; i < noise.length; i++) noise[i] *= scale;
  }

  /**
   * Value, and gradients of rows and columns, as if all were free. @param {number} [part] one of PART
   * @returns {number}
   */
  evaluate(part = PART.ALL) {
    const { problem, u, columns, gradient, gradientColumns, loss, options } = this;
    problem.part = part;
    gradient.fill(0);
    gradientColumns.fill(0);
    const beside = loss.columns !== "none",
      same = this.tied && this.rows === this.classes;
    if (loss.pairs) problem.multiplyRows(u);
    if (same) problem.copyColumns();
    else if (beside) problem.multiplyColumns(u, columns);
    let value = loss.weigh(problem, options);
    if (same) problem.mergeColumns();
    if (loss.pairs) problem.backRows(u, gradient);
    if (beside && !same) problem.backColumns(u, columns, gradient, this.moving || this.tied ? gradientColumns : null);
    if (loss.columns === "classifier" && part === PART.ALL) value += this.decay();
    if (this.tied && !same) this.backMeans();
    return value;
  }

  /**
   * The part of the gradient by which classes `from` to `to` push the points of others. @param {number} from
   * @param {number} to
   */
  pushFrom(from, to) {
    const { problem, u, columns, gradient, gradientColumns, loss, options } = this,
      { rows, classes, y, dS, dT } = problem;
    problem.part = PART.PUSH;
    gradient.fill(0);
    const same = this.tied && rows === classes;
    if (loss.pairs) problem.multiplyRows(u);
    if (same) problem.copyColumns();
    else if (loss.columns !== "none") problem.multiplyColumns(u, columns);
    loss.weigh(problem, options);
    if (same) problem.mergeColumns();
    const within = (/** @type {number} */ c) => c >= from && c < to;
    // A pair pushes both ways; here only what reaches a point from a class of the group.
    if (loss.pairs) {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < rows; j++) {
          const weight = within(y[j]) ? dS[i * rows + j] + dS[j * rows + i] : 0;
          if (weight) for (let k = 0; k < this.dim; k++) gradient[i * this.dim + k] += weight * u[j * this.dim + k];
        }
    }
    if (loss.columns === "none" || same) return;
    for (let i = 0; i < rows; i++) for (let c = 0; c < classes; c++) if (!within(c)) dT[i * classes + c] = 0;
    problem.backColumns(u, columns, gradient, gradientColumns);
  }

  /** Weight decay: its value, its gradient added. */
  decay() {
    const { problem, u, dim, columns, gradient, gradientColumns, options } = this,
      decay = decayAt(options, this.steps);
    let value = 0;
    for (let i = 0; i < this.rows; i++) {
      const weight = decay * charge(problem, options, i);
      for (let at = i * dim; at < (i + 1) * dim; at++) {
        value += (weight / 2) * u[at] * u[at];
        gradient[at] += weight * u[at];
      }
    }
    for (let at = 0; at < columns.length; at++) {
      value += (decay / 2) * columns[at] * columns[at];
      gradientColumns[at] += decay * columns[at];
    }
    return value;
  }

  /** What the prototypes feel is felt by the points whose means they are. */
  backMeans() {
    const { problem, columns, gradient, gradientColumns, dim, meanLengths } = this;
    tangent(gradientColumns, columns, dim);
    for (let i = 0; i < this.rows; i++) {
      const c = problem.y[i],
        share = problem.stored[i] / problem.counts[c] / meanLengths[c];
      for (let k = 0; k < dim; k++) gradient[i * dim + k] += share * gradientColumns[c * dim + k];
    }
  }

  /** The gradient by the parameters, from that of the rows. */
  backRows() {
    const { x, u, dim, rows, gradient, gradientX, problem, lengths } = this;
    if (this.sphere) tangent(gradient, u, dim);
    if (!this.tiedRows) gradientX.set(gradient);
    else {
      gradientX.fill(0);
      for (let i = 0; i < rows; i++) {
        const to = problem.y[i] * dim,
          share = this.sphere ? 1 / lengths[i] : 1;
        for (let k = 0; k < dim; k++) gradientX[to + k] += share * gradient[i * dim + k];
      }
    }
    if (this.sphere) along(gradientX, x, dim);
    if (this.moving && this.loss.columns !== "classifier") along(this.gradientColumns, this.cx, dim);
  }

  /** One step. */
  step() {
    const { motion, loss } = this;
    if (loss.matched && this.steps % motion.matchEvery === 0) this.match();
    this.draw();
    this.place();
    this.value = this.evaluate();
    this.backRows();
    if (motion.mover === "adam") {
      const t = this.since + 1;
      const cool = motion.horizon
        ? Math.max(LEAST, 0.5 * (1 + Math.cos(Math.PI * Math.min(1, this.since / motion.horizon))))
        : 1;
      adam(this.x, this.gradientX, this.moments[0], motion.rate * cool, t);
      if (this.moving) adam(this.cx, this.gradientColumns, this.moments[1], motion.rate * cool, t);
    } else {
      const rate = motion.mover === "auto" ? this.chooseRate() : motion.rate;
      descend(this.x, this.gradientX, rate, this.sphere ? this.dim : 0);
      if (this.moving) descend(this.cx, this.gradientColumns, rate, this.loss.columns === "classifier" ? 0 : this.dim);
    }
    this.steps++;
    this.since++;
  }

  /** The rate that this step may have: the gradient tells whether the last one went too far. */
  chooseRate() {
    const { gradientX, gradientColumns, before, moving, dim, x } = this,
      offset = x.length;
    let product = 0,
      farthest = 0;
    for (let at = 0; at < offset; at += dim) {
      let square = 0;
      for (let k = at; k < at + dim; k++) {
        product += gradientX[k] * before[k];
        square += gradientX[k] * gradientX[k];
        before[k] = gradientX[k];
      }
      if (square > farthest) farthest = square;
    }
    if (moving)
      for (let k = 0; k < gradientColumns.length; k++) {
        product += gradientColumns[k] * before[offset + k];
        before[offset + k] = gradientColumns[k];
      }
    this.autoRate *= product >= 0 ? GROW : SHRINK;
    const most = FARTHEST / (Math.sqrt(farthest) || 1e-300);
    if (this.autoRate > most) this.autoRate = most;
    return this.autoRate;
  }

  /** Targets go to the classes that are nearest to them. */
  match() {
    const { classes, dim, setup, columns } = this;
    this.place();
    const means = this.classMeans();
    this.assigned = matchTargets(means, setup.targets, classes, dim);
    for (let c = 0; c < classes; c++)
      for (let k = 0; k < dim; k++) columns[c * dim + k] = setup.targets[this.assigned[c] * dim + k];
  }

  /** @returns {Float64Array} (classes, dim) unit, of the points as they are placed; or what the samples are drawn around */
  classMeans() {
    const { u, problem, classes, dim, means } = this;
    if (this.tiedRows) return unitRows(this.x, dim, means);
    return classMeans(u, problem.y, problem.stored, classes, dim, means);
  }
}

/** Gradient of unit rows as that of the free rows whose directions they are. @param {Float64Array} g
 * @param {Float64Array} x @param {number} dim */
function along(g, x, dim) {
  for (let at = 0; at < x.length; at += dim) {
    let square = 0,
      product = 0;
    for (let k = at; k < at + dim; k++) {
      square += x[k] * x[k];
      product += x[k] * g[k];
    }
    const length = Math.sqrt(square) || 1;
    for (let k = at; k < at + dim; k++) g[k] = (g[k] - (product / square) * x[k]) / length;
  }
}

/** x ← x − rate g, back on the sphere where rows have `dim` entries. @param {Float64Array} x @param {Float64Array} g
 * @param {number} rate @param {number} dim 0: they are free */
function descend(x, g, rate, dim) {
  for (let i = 0; i < x.length; i++) x[i] -= rate * g[i];
  if (dim) unitRows(x, dim, x);
}

/** torch.optim.Adam. @param {Float64Array} x @param {Float64Array} g
 * @param {{first: Float64Array, second: Float64Array}} moments @param {number} rate @param {number} t counts steps from 1 */
function adam(x, g, { first, second }, rate, t) {
  const size = rate / (1 - BETA1 ** t),
    scale = Math.sqrt(1 - BETA2 ** t);
  for (let i = 0; i < x.length; i++) {
    first[i] += (1 - BETA1) * (g[i] - first[i]);
    second[i] = BETA2 * second[i] + (1 - BETA2) * g[i] * g[i];
    x[i] -= (size * first[i]) / (Math.sqrt(second[i]) / scale + EPSILON);
  }
}
