/**
 * Which step each panel of a recording should show now, in the words of the server's clock: follow, play, hold. Pure.
 */
import { lastAtMost, unite } from "./steps.js";

/**
 * @typedef {"follow"|"play"|"hold"} Mode follow: play over and over; play: from a chosen step on, then over and over;
 * hold: stay
 */

/** How long the last frame stays before the recording starts again. */
const REST_MS = 1200,
  MOST_TICKS = 30,
  SLOWEST = 1 / 16,
  FASTEST = 16;

export class ReplayClock {
  /**
   * @param {number[][]} tracks steps of each run, sorted
   * @param {number} hz frames a second at speed 1, clipped to 0.1 to 60
   * @param {number|null} step to hold from the start; null: follow
   */
  constructor(tracks, hz, step) {
    this.timeline = unite(tracks);
    this.hz = Math.min(60, Math.max(0.1, hz));
    this.speed = 1;
    /** @type {Mode} */
    this.mode = step === null ? "follow" : "hold";
    this.step = step ?? this.timeline[0] ?? null;
    this.restedMs = 0;
  }

  follow() {
    this.mode = "follow";
    this.restedMs = 0;
  }

  /** @param {number} step */
  hold(step) {
    this.mode = "hold";
    this.step = step;
  }

  /** @param {number|null} from step; null: from here */
  play(from) {
    this.mode = "play";
    this.restedMs = 0;
    this.step = from ?? this.step;
  }

  /** @param {number} speed factor on hz, clipped to 1/16 to 16; what is no number is ignored */
  setSpeed(speed) {
    if (Number.isFinite(speed)) this.speed = Math.min(FASTEST, Math.max(SLOWEST, speed));
  }

  /** Milliseconds between two ticks. */
  get interval() {
    return 1000 / Math.min(this.hz * this.speed, MOST_TICKS);
  }

  /** Moves on by one tick. */
  tick() {
    const { timeline } = this;
    if (this.mode === "hold" || !timeline.length || this.step === null) return;
    const at = lastAtMost(timeline, this.step),
      last = timeline.length - 1;
    // A replay faster than the ticks leaves frames out.
    const stride = Math.max(1, Math.round((this.hz * this.speed * this.interval) / 1000));
    if (at < last) {
      this.step = timeline[Math.min(at + stride, last)];
      this.restedMs = 0;
    } else if (this.restedMs < REST_MS) this.restedMs += this.interval;
    else {
      this.step = timeline[0];
      this.restedMs = 0;
    }
  }
}
