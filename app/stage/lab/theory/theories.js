/**
 * What theory says of the panels, asked of a worker of its own, so that nothing waits for it: one question at a time,
 * those that nobody asks any more dropped; and how far each moment is from the answer.
 */
import { angleError, anglesOf, evenAngle, turnedOnto } from "./residuals.js";

/** @typedef {import("./question.js").Question} Question */
/** @typedef {import("./question.js").Answer} Answer */
/** @typedef {import("../race.js").Snapshot} Snapshot */
/** @typedef {{means: Float64Array, weights: Float64Array|null}} Ghost (C, dim) unit rows */
/**
 * @typedef {object} Known   of a question
 * @property {Question} question
 * @property {"none"|"waits"|"known"|"nothing"|"failed"} state   nothing: no directions are left; failed: not found
 * @property {Answer|null} answer
 * @property {Float64Array|null} means     angles between these, of all pairs
 * @property {Float64Array|null} weights
 */

const MOST_KEPT = 80,
  /** Milliseconds for which a question that nobody asks any more may go on. */
  PATIENCE = 250,
  /** How far above the least there is an answer may be. */
  EXACT = 1e-5,
  MEASURING = 10,
  /** Classes from which on a ghost is dear, and the milliseconds for which it then stays. */
  MANY = 40,
  STAYS = 300;

export class Theories {
  /** @param {() => Worker} open @param {() => void} told an answer has come */
  constructor(open, told) {
    this.open = open;
    this.told = told;
    /** @type {Worker|null} */
    this.worker = null;
    /** By the question as text; what was asked for last is last. @type {Map<string, Known>} */
    this.known = new Map();
    /** @type {{key: string, since: number}|null} */
    this.asked = null;
    /** @type {string[]} */
    this.wanted = [];
    /** By panel: what was drawn last. @type {Map<string, {at: number, answer: Answer, dim: number, found: Ghost}>} */
    this.ghosts = new Map();
  }

  /** What is known of a question, which is asked where it has not been. @param {string} key */
  of(key) {
    let known = this.known.get(key);
    if (known) this.known.delete(key);
    else {
      const question = /** @type {Question} */ (JSON.parse(key));
      known = { question, state: question.of === "none" ? "none" : "waits", answer: null, means: null, weights: null };
    }
    this.known.set(key, known);
    for (const old of this.known.keys()) if (this.known.size > MOST_KEPT) this.known.delete(old);
    return known;
  }

  /** The questions of the panels as they are now. @param {string[]} keys */
  want(keys) {
    this.wanted = [...new Set(keys)];
    const { asked } = this;
    if (asked && !this.wanted.includes(asked.key) && performance.now() - asked.since > PATIENCE) this.drop();
    this.ask();
  }

  ask() {
    if (this.asked) return;
    const key = this.wanted.find((one) => this.of(one).state === "waits");
    if (key === undefined) return;
    if (!this.worker) {
      this.worker = this.open();
      this.worker.onmessage = ({ data }) => this.take(data.key, data.answer);
      this.worker.onerror = () => this.fail(this.asked?.key ?? "");
    }
    this.asked = { key, since: performance.now() };
    this.worker.postMessage({ type: "predict", key });
  }

  /** @param {string} key @param {Answer|null} answer */
  take(key, answer) {
    this.asked = null;
    const known = this.of(key),
      certain = !answer || (answer.gap < EXACT && answer.means.every(Number.isFinite));
    Object.assign(known, {
      state: !answer ? "nothing" : certain ? "known" : "failed",
      answer: certain ? answer : null,
    });
    if (answer && certain) {
      const n = answer.means.length / answer.dim;
      known.means = anglesOf(answer.means, n, answer.dim);
      known.weights = answer.weights && anglesOf(answer.weights, n, answer.dim);
    }
    this.told();
    this.ask();
  }

  /** @param {string} key */
  fail(key) {
    this.drop();
    if (this.known.has(key)) this.of(key).state = "failed";
    this.told();
    this.ask();
  }

  drop() {
    this.worker?.terminate();
    this.worker = null;
    this.asked = null;
  }

  /** How far a moment is from its own theory, among its numbers: the classifier's rows where there are any, else the
   * means. @param {Snapshot} shot */
  measure(shot) {
    const { metrics, means, columns } = shot;
    if (metrics.theory_error !== undefined) return;
    const known = this.of(shot.theory);
    if (!known.answer || !known.means) return;
    const n = known.answer.means.length / known.answer.dim,
      dim = means.length / n,
      ofMeans = anglesOf(means, n, dim),
      rows = known.weights && columns ? { here: anglesOf(columns, n, dim), wanted: known.weights } : null;
    const here = rows?.here ?? ofMeans,
      own = angleError(here, rows?.wanted ?? known.means);
    Object.assign(metrics, {
      theory_error: own.mean,
      theory_most: own.most,
      simplex_error: angleError(here, evenAngle(n)).mean,
    });
    if (rows)
      Object.assign(metrics, {
        theory_means: angleError(ofMeans, known.means).mean,
        simplex_means: angleError(ofMeans, evenAngle(n)).mean,
      });
  }

  /** The same of all moments so far, as many as a short while allows, the newest first.
   * @param {import("../film.js").Film} film */
  measureAll(film) {
    const end = performance.now() + MEASURING;
    for (const { frames } of film.of.values())
      for (let at = frames.length - 1; at >= 0 && performance.now() < end; at--) this.measure(frames[at]);
  }

  /**
   * The predicted rows, turned onto a moment's own: where it will be, if theory is right. @param {Snapshot} shot
   * @returns {Ghost|null}
   */
  ghostOf(shot) {
    const { answer } = this.of(shot.theory);
    if (!answer) return null;
    const n = answer.means.length / answer.dim,
      dim = shot.means.length / n,
      last = this.ghosts.get(shot.id),
      now = performance.now();
    if (last && n > MANY && last.answer === answer && last.dim === dim && now - last.at < STAYS) return last.found;
    const found = turnedAll(answer, shot, n, dim);
    this.ghosts.set(shot.id, { at: now, answer, dim, found });
    return found;
  }

  end() {
    this.drop();
    this.wanted = [];
  }
}

/** @param {Answer} answer @param {Snapshot} shot @param {number} n @param {number} dim @returns {Ghost} */
function turnedAll(answer, shot, n, dim) {
  if (!answer.weights || !shot.columns)
    return { means: turnedOnto(answer.means, shot.means, n, answer.dim, dim), weights: null };
  // One turn for both: how they lie to one another is predicted too.
  const turned = turnedOnto(
    stacked(answer.weights, answer.means),
    stacked(shot.columns, shot.means),
    2 * n,
    answer.dim,
    dim,
  );
  return { weights: turned.subarray(0, n * dim), means: turned.subarray(n * dim) };
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function stacked(a, b) {
  const out = new Float64Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
