/** What the stage knows of one run: who it is, how it fares, and the two frames between which it is moving. */
import { PLACE_SCALE } from "../common/messages.js";
import { drawingOrder } from "./order.js";
import { addSteps } from "./steps.js";
import { blendPoints, easeOut, slerp } from "../common/vectors.js";

/** @typedef {import("../common/types.js").Frame} Frame */
/** @typedef {import("../common/types.js").MarkValues} MarkValues */
/** @typedef {import("../common/types.js").Vec3} Vec3 */

const SHORTEST_TWEEN_MS = 40,
  LONGEST_TWEEN_MS = 400,
  BLOOM_MS = 600,
  SCRUB_TWEEN_MS = 160;
/** States of a run from which more frames are to come. */
export const LIVE_STATES = ["queued", "starting", "running", "paused", "stopping"];
/** Frames that a trail can reach back. */
export const TRAIL_FRAMES = 60;

export class Run {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    /** @type {import("../common/types.js").RunInfo|null} */
    this.info = null;
    this.state = "queued";
    /** @type {string|null} */
    this.reason = null;
    /** @type {number|null} */
    this.totalSteps = null;
    /** @type {number[]} sorted */
    this.steps = [];
    /** @type {[number, string, string][]} what happened to it: step, kind, sentence */
    this.events = [];
    /** @type {Frame|null} newest frame received and not yet shown */
    this.pending = null;
    /** @type {Frame|null} the frame shown, or being moved to */
    this.frame = null;
    /** @type {Int16Array} where the points started the present move */
    this.from = new Int16Array(0);
    /** @type {Map<string, (Vec3|null)[]>} where centres and landmarks started the present move */
    this.fromPlaces = new Map();
    /** @type {Map<string, MarkValues>} where the marks of the method started the present move */
    this.fromMarks = new Map();
    /** @type {Float32Array[]} centres of the last frames, newest last, NaN where a class had none: the trails */
    this.history = [];
    /**
     * @type {{step: number, forces: import("../common/types.js").Forces, metrics: Record<string, number>, gap:
     * number}|null} the newest forces up to the frame shown, the metrics of their frame, and how many steps after those
     * before them they came
     */
    this.forces = null;
    this.start = 0;
    this.duration = 0;
    this.interval = 100;
    this.arrived = 0;
    this.eased = false;
    this.replaced = 0;
    /** @type {{of: Frame, index: number, found: number[]}|null} nearest samples of the pinned one */
    this.near = null;
    /** @type {Map<number, number>|null} index of each sample id */
    this.places = null;
    /** @type {Set<number>|null} */
    this.parts = null;
    /** @type {Uint8Array|null} */
    this.mask = null;
    /** @type {number|null} */
    this.free = null;
    /** @type {Uint32Array|null} */
    this.sequence = null;
    /** @type {import("../common/colours.js").Rgb[]} one for each class */
    this.colours = [];
    /** What the page calls this run, where several have one title. */
    this.called = "";
    /** @type {import("../common/colours.js").Rgb[]} one for each of EXTRAS */
    this.extras = [];
    /**
     * @type {import("../common/colours.js").Rgb[]} steps of the ramp in use, from low to high; empty where points wear
     * classes
     */
    this.values = [];
  }

  get title() {
    return this.called || this.info?.header.title || this.id;
  }

  get numClasses() {
    return this.info?.header.num_classes ?? 0;
  }

  /** How many of its samples have no label. */
  get unlabelled() {
    const { info } = this;
    return info ? (this.free ??= info.labels.reduce((sum, y) => sum + (y < info.header.num_classes ? 0 : 1), 0)) : 0;
  }

  /** Its points in the order in which few stand for all. @returns {Uint32Array} */
  get order() {
    const { frame, info } = this;
    return frame?.rows ?? (this.sequence ??= drawingOrder(info?.labels ?? new Uint16Array(0)));
  }

  /** Which parts of the data its samples are from: 0 training, 1 test, 2 validation. */
  get splits() {
    if (!this.info) return new Set();
    return (this.parts ??= new Set(this.info.split));
  }

  /** Whether its samples are training samples and others: centres are of the training samples then, else of all. */
  get tellsApart() {
    return this.splits.has(0) && this.splits.size > 1;
  }

  /**
   * Samples that centres and caps are of, 1 for each; null: all. As the server has it (`training_labels`): training
   * samples, and all samples of a class that has no training sample here. @returns {Uint8Array|null}
   */
  get measured() {
    const { info } = this;
    if (!info || !this.tellsApart) return null;
    if (!this.mask) {
      const trained = new Set(info.labels.filter((_, i) => info.split[i] === 0));
      this.mask = Uint8Array.from(info.labels, (y, i) => Number(info.split[i] === 0 || !trained.has(y)));
    }
    return this.mask;
  }

  /** No regular simplex of C classes fits into fewer than C - 1 dimensions. */
  get fitsSimplex() {
    return !this.info || this.info.header.dim >= this.info.header.num_classes - 1;
  }

  /** @param {import("../common/types.js").RunInfo} info */
  setInfo(info) {
    this.info = info;
    this.places = this.parts = this.mask = this.free = this.sequence = null;
    this.state = info.header.state ?? this.state;
    this.reason = info.header.reason ?? null;
    this.totalSteps = info.header.total_steps ?? null;
    if (this.frame && this.frame.header.n !== info.labels.length) this.forgetFrames();
  }

  /** @param {import("../common/types.js").StateHeader} header */
  setState(header) {
    this.state = header.state;
    this.reason = header.reason;
    this.totalSteps = header.total_steps ?? this.totalSteps;
    addSteps(this.steps, header.steps ?? []);
    // A folder that was removed and filled again has fewer frames than were known of it.
    if (this.steps.length > header.frames && header.steps?.length === header.frames) this.steps = [...header.steps];
    if (header.events) this.events = header.events;
  }

  /** @param {Frame} frame */
  receive(frame) {
    if (this.pending) this.replaced++;
    this.pending = frame;
  }

  /**
   * Index of a sample, or null where this run's probe does not hold it; without ids, samples are numbered.
   * @param {number} id
   */
  indexOf(id) {
    const { info } = this;
    if (!info) return null;
    if (!info.ids) return id >= 0 && id < info.labels.length ? id : null;
    this.places ??= new Map(Array.from(info.ids, (value, i) => [value, i]));
    return this.places.get(id) ?? null;
  }

  forgetFrames() {
    this.frame = this.pending = this.forces = null;
    this.history = [];
  }

  /** Share of the present move that is done, 0 to 1. @param {number} now ms */
  progress(now) {
    if (this.duration <= 0) return 1;
    const t = Math.min(1, Math.max(0, (now - this.start) / this.duration));
    return this.eased ? easeOut(t) : t;
  }

  /**
   * Makes the pending frame the goal, starting from where the eye sees the points now.
   * @param {number} now ms @param {{tween: boolean, steady: boolean}} motion
   *   `steady`: frames come at a beat, so the move is even and lasts one beat; else it settles
   */
  accept(now, { tween, steady }) {
    const next = /** @type {Frame} */ (this.pending),
      last = this.frame;
    this.pending = null;
    // Points that were not there in a first look appear where they are.
    const same = last && !last.rows && last.xyz.length === next.xyz.length,
      looked = last?.rows != null;
    const k = this.progress(now);
    // Where nothing is seen to move, nobody asks from where it came.
    if (same && (k >= 1 || !tween)) this.from = last.xyz;
    else if (looked) this.from = next.xyz;
    else {
      const from = new Int16Array(next.xyz.length);
      if (same) blendPoints(this.from, last.xyz, k, from);
      this.from = from;
    }
    this.fromPlaces = new Map(this.names().map((name) => [name, this.placesAt(name, k)]));
    this.fromMarks = new Map(Array.from(last?.marks ?? [], ([key, now]) => [key, this.markAt(key, k) ?? now]));
    const gap = now - this.arrived;
    if (this.arrived && gap < 2000) this.interval += 0.3 * (Math.min(1000, gap) - this.interval);
    this.arrived = now;
    this.start = now;
    this.eased = !same || !steady;
    const beat = Math.min(LONGEST_TWEEN_MS, Math.max(SHORTEST_TWEEN_MS, this.interval));
    this.duration = !tween || looked ? 0 : !same ? BLOOM_MS : steady ? beat : SCRUB_TWEEN_MS;
    const { step, forces, metrics } = next.header;
    if (last && step <= last.header.step) this.history = [];
    if (this.forces && step < this.forces.step) this.forces = null;
    // A frame that is shown again, as at the end of a replay, says nothing of how often forces come.
    if (forces && Object.keys(forces).length) {
      const gap = this.forces ? step - this.forces.step || this.forces.gap : 0;
      this.forces = { step, forces, metrics, gap };
    }
    this.history.push(Float32Array.from(next.header.centres.flatMap((m) => m ?? [NaN, NaN, NaN])));
    if (this.history.length > TRAIL_FRAMES) this.history.shift();
    this.frame = next;
  }

  /** Ends the present move: what is on its way is there. */
  settle() {
    this.duration = 0;
  }

  /** Names of what the frame holds besides points: "centres" and its landmarks. */
  names() {
    return this.frame ? ["centres", ...Object.keys(this.frame.header.landmarks ?? {})] : [];
  }

  /**
   * Centres or landmarks as the eye sees them. @param {string} name @param {number} k progress @returns {(Vec3|null)[]}
   */
  placesAt(name, k) {
    const header = this.frame?.header;
    const marked = header?.landmarks && Object.hasOwn(header.landmarks, name) ? header.landmarks[name] : undefined;
    const to = name === "centres" ? header?.centres : marked;
    if (!to) return [];
    const from = this.fromPlaces.get(name);
    if (k >= 1 || !from || from.length !== to.length) return to;
    return to.map((p, i) => {
      const q = from[i];
      return p && q ? slerp(q, p, k) : p;
    });
  }

  /** Whether its method declares a mark. @param {string} key */
  declares(key) {
    return this.info?.header.marks?.some((mark) => mark.key === key) ?? false;
  }

  /**
   * A mark's values, its places as the eye sees them. What has an age comes and goes, and does not move.
   * @param {string} key @param {number} k progress @returns {MarkValues|undefined}
   */
  markAt(key, k) {
    const to = this.frame?.marks.get(key);
    const from = this.fromMarks.get(key);
    if (!to || k >= 1 || !from || to.age) return to;
    const moved = { ...to };
    for (const end of /** @type {const} */ (["places", "a", "b"])) {
      const [start, goal] = [from[end], to[end]];
      if (!goal) continue;
      if (start?.length !== goal.length) return to;
      blendPoints(start, goal, k, (moved[end] = new Int16Array(goal.length)));
    }
    return moved;
  }

  /**
   * One point as the eye sees it, on the scale of the sphere. @param {number} index @param {number} k @returns {Vec3}
   */
  pointAt(index, k) {
    const to = /** @type {Frame} */ (this.frame).xyz,
      i = index * 3;
    const b = [to[i] / PLACE_SCALE, to[i + 1] / PLACE_SCALE, to[i + 2] / PLACE_SCALE];
    if (k >= 1 || this.from.length !== to.length) return /** @type {Vec3} */ (b);
    return slerp([this.from[i] / PLACE_SCALE, this.from[i + 1] / PLACE_SCALE, this.from[i + 2] / PLACE_SCALE], b, k);
  }
}
