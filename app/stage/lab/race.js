/** All losses of the lab side by side from one start: steps in lock-step, and what is to be seen of them. Pure. */
import { InformationMeter } from "./information.js";
import { LOSSES } from "./losses/list.js";
import { measure, third } from "./measures.js";
import { PART } from "./problem.js";
import { Random } from "./random.js";
import { panelsOf, settingsFor } from "./panels.js";
import { countsIn, startsAnew } from "./settings.js";
import { Simulation } from "./simulation.js";
import { tangent, unitRow, unitRows } from "./space.js";
import { bestTargets } from "./targets.js";
import { questionOf } from "./theory/question.js";

/** @typedef {import("./settings.js").Settings} Settings */
/**
 * @typedef {object} Snapshot   one loss at one step; rows are flat
 * @property {string} id            of its panel
 * @property {number} step
 * @property {number} value          of the loss, NaN before the first step
 * @property {Float32Array} rows     (points, dim) unit
 * @property {Float32Array} means    (classes, dim) unit
 * @property {Float32Array|null} columns  (classes, dim) unit: prototypes, classifier or targets
 * @property {Float32Array} x        parameters, and those of the columns: from these it can go on
 * @property {Float32Array} cx
 * @property {Record<string, number>} metrics
 * @property {string} theory         what there is to ask of theory about it, as text
 * @property {Record<string, Float32Array>|null} forces  (classes, dim) by part
 */

/** Adam with batches and noise: a rate that falls to nothing in so many steps, from a step size of its own. */
const HORIZON = 3000,
  NOISY_RATE = 0.03,
  MATCH_EVERY = 10,
  /** Of the largest part: a total force below this is none. */
  NOISE = 1e-7;

export class Race {
  /** @param {Settings} settings */
  constructor(settings) {
    this.settings = settings;
    this.steps = 0;
    /** @type {Map<string, Simulation>} */
    this.sims = new Map();
    /** @type {Map<string, Float64Array>} */
    this.targets = new Map();
    this.shaken = 0;
    /** @type {WeakMap<Simulation, InformationMeter>} */
    this.meters = new WeakMap();
    /** Where a hand holds a class. @type {{ids: string[], c: number, to: ArrayLike<number>}|null} */
    this.held = null;
    this.begin();
  }

  /** From the start that the seed gives. */
  begin() {
    this.steps = 0;
    this.held = null;
    this.sims = new Map(panelsOf(this.settings).map((panel) => [panel.id, this.build(panel)]));
  }

  /** @param {import("./panels.js").Panel} panel */
  build(panel) {
    const { settings } = this,
      { classes, dim, points, free, seed } = settings;
    const random = new Random(seed),
      start = random.normals(new Float64Array(classes * dim)),
      columns = random.normals(new Float64Array(classes * dim));
    const key = `${classes} ${dim}`;
    const targets = this.targets.get(key) ?? bestTargets(classes, dim, seed);
    this.targets.set(key, targets);
    const setup = { loss: panel.loss, counts: countsIn(settings), dim, points, free, seed, start, columns, targets };
    return new Simulation(setup, motionOf(settings), settingsFor(settings, panel));
  }

  /** Other settings act at once; the points stay, unless they must be others. @param {Settings} settings */
  change(settings) {
    const before = this.settings;
    this.settings = settings;
    if (startsAnew(before, settings)) return this.begin();
    const anew = String(countsIn(before)) !== String(countsIn(settings));
    for (const panel of panelsOf(settings)) {
      const old = this.sims.get(panel.id);
      if (!old) continue;
      if (anew) {
        const sim = this.build(panel);
        if (sim.x.length === old.x.length) {
          sim.x.set(old.x);
          sim.cx.set(old.cx);
          sim.columns.set(old.columns);
        }
        sim.steps = old.steps;
        this.sims.set(panel.id, sim);
      } else {
        old.setMotion(motionOf(settings));
        old.setOptions(settingsFor(settings, panel));
      }
    }
  }

  step() {
    for (const sim of this.sims.values()) sim.step();
    this.steps++;
    if (this.held) this.pin();
  }

  /** Every class is pushed a little, each loss's alike. @param {number} size radians, about */
  perturb(size) {
    const { classes, dim, seed } = this.settings,
      push = new Random(seed + 7919 * ++this.shaken).normals(new Float64Array(classes * dim));
    for (const sim of this.sims.values()) {
      const { x, problem, sphere, rows } = sim;
      const each =
        x.length / dim === classes ? (/** @type {number} */ i) => i : (/** @type {number} */ i) => problem.y[i];
      for (let i = 0; i < x.length / dim; i++) {
        let square = 0;
        for (let k = 0; k < dim; k++) square += x[i * dim + k] ** 2;
        const scale = (size * Math.sqrt(square)) / Math.sqrt(dim);
        for (let k = 0; k < dim; k++) x[i * dim + k] += scale * push[each(i) * dim + k];
      }
      if (sphere && rows) unitRows(x, dim, x);
      sim.reheat();
    }
  }

  /**
   * A hand holds a class somewhere: it stays there, and all others go on. @param {string[]} ids of panels; none: all
   * @param {number} c @param {ArrayLike<number>} to (dim) unit
   */
  hold(ids, c, to) {
    this.held = { ids: ids.length ? ids : [...this.sims.keys()], c, to };
    this.pin();
    this.reheat(this.held.ids);
  }

  /** The hand lets go. */
  release() {
    if (this.held) this.reheat(this.held.ids);
    this.held = null;
  }

  /** @param {string[]} ids */
  reheat(ids) {
    for (const id of ids) this.sims.get(id)?.reheat();
  }

  /** The class that is held is where the hand is: all of its points go along. */
  pin() {
    if (!this.held) return;
    const { ids, c, to } = this.held;
    for (const id of ids) {
      const sim = this.sims.get(id);
      if (sim && c < sim.classes && to.length === sim.dim) putClass(sim, c, to);
    }
  }

  /** Goes on from what was once seen. @param {Pick<Snapshot, "id"|"step"|"x"|"cx">[]} seen */
  restore(seen) {
    for (const { id, step, x, cx } of seen) {
      const sim = this.sims.get(id);
      if (!sim || sim.x.length !== x.length) continue;
      sim.x.set(x);
      sim.cx.set(cx);
      sim.steps = step;
      sim.reheat();
      this.steps = step;
    }
  }

  /** @param {Simulation} sim */
  meterOf(sim) {
    const known = this.meters.get(sim) ?? new InformationMeter();
    this.meters.set(sim, known);
    return known;
  }

  /** @param {boolean} forces whether these are wanted @returns {Snapshot[]} */
  look(forces) {
    return [...this.sims].map(([id, sim]) => lookAt(id, sim, forces, this.settings, this.meterOf(sim)));
  }
}

/** @param {Simulation} sim @param {number} c @param {ArrayLike<number>} to (dim) unit */
function putClass(sim, c, to) {
  sim.place();
  const { x, dim, problem, classes } = sim,
    old = sim.classMeans();
  for (let i = 0; i < x.length / dim; i++) {
    if ((x.length / dim === classes ? i : problem.y[i]) !== c) continue;
    let square = 0;
    for (let k = 0; k < dim; k++) square += x[i * dim + k] ** 2;
    const length = Math.sqrt(square);
    for (let k = 0; k < dim; k++) x[i * dim + k] += length * (to[k] - old[c * dim + k]);
    if (sim.sphere) unitRow(x, i, dim, x);
  }
}

/** @param {Settings} settings @returns {import("./simulation.js").Motion} */
function motionOf({ batch, noise, mover, rate, points, free }) {
  const shared = { batch, noise, matchEvery: MATCH_EVERY };
  if (mover !== "auto") return { ...shared, mover, rate, horizon: mover === "adam" ? HORIZON : 0 };
  // Where gradients are drawn, no step can be told to have gone too far.
  const noisy = batch > 0 || (points > 1 && !free && noise > 0);
  return { ...shared, mover: noisy ? "adam" : "auto", rate: NOISY_RATE, horizon: noisy ? HORIZON : 0 };
}

/** @param {string} id @param {Simulation} sim @param {boolean} forces @param {Settings} settings
 * @param {InformationMeter} meter @returns {Snapshot} */
function lookAt(id, sim, forces, settings, meter) {
  sim.place();
  const { classes, dim, u, columns, loss } = sim,
    means = sim.classMeans(),
    half = settings.profile === "step" ? Math.max(2, Math.floor(classes / 2)) : third(classes);
  const group = Math.min(half, classes),
    { smallest_head, smallest_tail, ...metrics } = measure(means, classes, dim, group),
    points = unitRows(u, dim),
    beside = loss.columns === "none" || sim.tied ? null : Float32Array.from(unitRows(columns, dim));
  // The tail's rows of a classifier close while its means open.
  /** @type {Record<string, number>} */
  const ofRows =
    beside && loss.columns === "classifier"
      ? { smallest_tail_rows: measure(beside, classes, dim, group).smallest_tail }
      : {};
  return {
    id,
    step: sim.steps,
    value: sim.value,
    rows: Float32Array.from(points),
    means: Float32Array.from(means),
    columns: beside,
    x: Float32Array.from(sim.x),
    cx: Float32Array.from(sim.cx),
    metrics: {
      ...metrics,
      smallest_head,
      smallest_tail,
      ...ofRows,
      ...meter.read(sim, points, means),
      loss: sim.value,
      rate: rateOf(sim),
    },
    theory: theoryOf(sim),
    forces: forces ? forcesOf(sim) : null,
  };
}

/** By setup. @type {WeakMap<object, {motion: object, options: object, text: string}>} */
const asked = new WeakMap();

/** What there is to ask of theory about a simulation. @param {Simulation} sim @returns {string} */
function theoryOf({ setup, motion, options, tiedRows }) {
  const known = asked.get(setup);
  if (known?.motion === motion && known.options === options) return known.text;
  const { loss, counts, dim, points } = setup,
    apart = tiedRows && motion.noise > 0,
    text = JSON.stringify(questionOf({ loss, counts, dim, points, apart, options }));
  asked.set(setup, { motion, options, text });
  return text;
}

/** The step size that it has now. @param {Simulation} sim */
const rateOf = ({ motion, autoRate }) => (motion.mover === "auto" ? autoRate : motion.rate);

/**
 * The force on each class, the sum over its points: in all, of what pulls, and of what pushes by the group of classes
 * that pushes. @param {Simulation} sim @returns {Record<string, Float32Array>}
 */
function forcesOf(sim) {
  const { classes, dim } = sim;
  const summed = (/** @type {(u: Float64Array) => Float64Array} */ read) => {
    const all = Float64Array.from(read(sim.gradient)),
      out = new Float32Array(classes * dim),
      unit = unitRows(sim.u, dim);
    tangent(all, unit, dim);
    for (let i = 0; i < sim.rows; i++)
      for (let k = 0; k < dim; k++) out[sim.problem.y[i] * dim + k] -= all[i * dim + k];
    return out;
  };
  sim.evaluate(PART.ALL);
  const total = summed((g) => g);
  sim.evaluate(PART.PULL);
  const pull = summed((g) => g);
  /** @type {Record<string, Float32Array>} */
  const found = { total, [LOSSES[sim.setup.loss].matched ? "targets" : "positives"]: pull };
  const size = third(classes);
  for (const [group, from, to] of /** @type {[string, number, number][]} */ ([
    ["head", 0, size],
    ["medium", size, classes - size],
    ["tail", Math.max(size, classes - size), classes],
  ])) {
    sim.pushFrom(from, to);
    found[group] = summed((g) => g);
  }
  // At rest pull and push are as large as ever, and what is left of them is rounding.
  const most = (/** @type {Float32Array} */ rows) => rows.reduce((size, v) => Math.max(size, Math.abs(v)), 0);
  const parts = Math.max(...Object.entries(found).map(([part, rows]) => (part === "total" ? 0 : most(rows))));
  if (most(total) < NOISE * parts) total.fill(0);
  return found;
}
