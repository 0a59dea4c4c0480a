/**
 * Which step each panel of recordings in the page should show now: the server's clock (service/clock.py) where there is
 * no server. Both go as tests/clock_cases.json says. Pure: times are numbers, in seconds.
 */
import { lastAtMost, unite } from "./steps.js";

/**
 * @typedef {"follow"|"play"|"hold"} Mode follow: live runs at their newest frame, the others over and over; play: from a
 * chosen step on, then over and over; hold: stay
 */
/** @typedef {{steps: number[], live?: boolean}} Timed  steps that can be shown, sorted; live: more are to come */

/** How long the last frame stays before the recording starts again. */
const REST_SECONDS = 1.2,
  MOST_TICKS = 30,
  SLOWEST = 1 / 16,
  FASTEST = 16,
  /** Seconds that sums of intervals may be off by. */
  MOMENT = 1e-6;

export class ReplayClock {
  /**
   * @param {Timed[]} tracks each run; they may grow, and end
   * @param {number} hz frames a second at speed 1, clipped to 0.1 to 60
   * @param {number|null} step to hold from the start; null: follow
   */
  constructor(tracks, hz, step) {
    this.tracks = tracks;
    this.hz = Math.min(60, Math.max(0.1, hz));
    this.speed = 1;
    /** @type {Mode} */
    this.mode = step === null ? "follow" : "hold";
    this.step = step;
    this.due = 0;
    this.rested = 0;
    /** Whether the step is still to be shown, for a beat, before the clock moves on. */
    this.fresh = false;
    this.sawLive = false;
  }

  /** Steps of the runs that move by themselves. */
  get timeline() {
    return unite(this.tracks.filter(({ live }) => this.mode === "play" || !live).map(({ steps }) => steps));
  }

  /** Does what a viewer's message asks, as the server does. @param {Record<string, any>} request */
  obey(request) {
    if ("step" in request) this.hold(Math.trunc(Number(request.step)));
    if ("speed" in request) this.setSpeed(Number(request.speed));
    if (request.play) this.play(request.from ?? null);
    if (request.live) this.follow();
  }

  /** Live runs at their newest frame, the others from their first step on, over and over. */
  follow() {
    this.mode = "follow";
    this.step = null;
    this.begin(false);
  }

  /** @param {number} step */
  hold(step) {
    this.mode = "hold";
    this.step = step;
  }

  /** @param {number|null} from step, which is shown first; null: goes on from here, which is shown already */
  play(from) {
    this.mode = "play";
    this.step = from === null ? this.step : Math.trunc(from);
    this.begin(from !== null);
  }

  /** @param {boolean} fresh */
  begin(fresh) {
    this.due = this.rested = 0;
    this.fresh = fresh;
  }

  /** @param {number} speed factor on hz, clipped to 1/16 to 16; what is no number is ignored */
  setSpeed(speed) {
    if (!Number.isFinite(speed)) return;
    const before = this.interval;
    this.speed = Math.min(FASTEST, Math.max(SLOWEST, speed));
    // The tick that is under way comes as the new speed would have it.
    if (this.due) this.due += this.interval - before;
  }

  /** Seconds between two ticks. */
  get interval() {
    return 1 / Math.min(this.hz * this.speed, MOST_TICKS);
  }

  /** Seconds until `tick` has something to do, null where nothing moves by itself. @param {number} now */
  wait(now) {
    return this.mode === "hold" ? null : Math.max(0, this.due - now);
  }

  /** Moves on if it is time. @param {number} now monotonic seconds @returns {boolean} whether a beat has passed */
  tick(now) {
    if (this.mode === "hold" || now < this.due) return false;
    // A late tick moves the schedule instead of hurrying after it.
    this.due = this.due ? Math.max(this.due + this.interval, now) : now + this.interval;
    this.sawLive ||= this.tracks.some(({ steps, live }) => live && steps.length);
    const { timeline } = this;
    if (!timeline.length) return false;
    // A run that was watched to its end rests there before it starts again.
    if (this.step === null) this.step = timeline[this.sawLive ? timeline.length - 1 : 0];
    else if (this.fresh) this.fresh = false;
    else this.advance(this.step, timeline);
    return true;
  }

  /** @param {number} step @param {number[]} timeline */
  advance(step, timeline) {
    const at = lastAtMost(timeline, step),
      last = timeline.length - 1;
    // A replay faster than the ticks leaves frames out.
    const stride = Math.max(1, Math.floor(this.hz * this.speed * this.interval + 0.5));
    if (at < last) {
      this.step = timeline[Math.min(at + stride, last)];
      this.rested = 0;
    } else if (this.mode === "play" && this.tracks.some(({ live }) => live)) {
      this.follow();
    } else if (this.rested < REST_SECONDS - MOMENT) {
      this.step = timeline[last];
      this.rested += this.interval;
    } else {
      this.step = timeline[0];
      this.rested = 0;
    }
  }

  /** Index of the step that a run should show now, -1 for none. @param {Timed} track */
  target({ steps, live }) {
    if (this.mode === "follow" && live) return steps.length - 1;
    return this.step === null ? -1 : lastAtMost(steps, this.step);
  }
}
