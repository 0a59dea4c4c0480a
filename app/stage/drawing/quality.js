/** Trades beauty for fluency when pictures take too long, one step at a time, and says what it gave up. Pure. */
import { words } from "../words.js";

/** @typedef {{ratio: number, tween: boolean, beat: number, crowd: number}} Level
 *   most device pixels a CSS pixel; motion between frames; least ms between pictures; most points on the stage */

/** A picture may take so long before something is given up; for the last things, longer. */
const SLOW_MS = [50, 50, 50, 100, 120, Infinity],
  FAST_MS = 20,
  PATIENCE = 6,
  FORGIVE_MS = 8000;

/** @type {Level[]} */
export const LEVELS = [
  { ratio: 2, tween: true, beat: 0, crowd: Infinity },
  { ratio: 1, tween: true, beat: 0, crowd: Infinity },
  { ratio: 1, tween: true, beat: 50, crowd: Infinity },
  { ratio: 1, tween: false, beat: 66, crowd: Infinity },
  { ratio: 0.75, tween: false, beat: 80, crowd: Infinity },
  {
    ratio: 0.75,
    tween: false,
    beat: 100,
    crowd: 25000,
  },
];

/** Of many points, a picture of what moves may take so long: ten and more a second, the pauses between them too. */
const MOVING_MS = 45,
  MANY_POINTS = 50000,
  SOFTWARE_CROWD = 20000,
  /** With fewer a picture is hardly faster: its time goes elsewhere. */
  FEWEST = 5000;
/** How far the number goes at once towards the one that would have met the time: a busy moment is not a slow machine. */
const EAGERNESS = 0.6;

/** Where the processor draws, it starts here: the trainer works on the same cores. */
export const SOFTWARE_LEVEL = 2;

export class Quality {
  /** @param {boolean} software */
  constructor(software) {
    this.best = software ? SOFTWARE_LEVEL : 0;
    this.level = this.best;
    this.slow = 0;
    this.fast = 0;
    this.changed = 0;
    /** Points that a picture of many may hold while it moves. */
    this.budget = software ? SOFTWARE_CROWD : Infinity;
    /** Whether a picture has shown how long so many take. */
    this.timed = false;
  }

  get now() {
    return LEVELS[this.level];
  }

  /**
   * The share of the points that is drawn while anything moves: of many so many as a picture has time for. At rest all
   * are. @param {number} points there are
   */
  share(points) {
    const able = points > MANY_POINTS ? this.budget : Infinity;
    return Math.min(1, Math.min(this.now.crowd, able) / Math.max(1, points));
  }

  /** Only what was given up for slowness is news; a processor's own level is its normal state. */
  get simplified() {
    return this.level > this.best ? words.levels[this.level] : "";
  }

  /**
   * @param {number} ms that one picture took @param {number} time ms @param {number} points on it
   * @param {boolean} [moved] whether some were left out of it
   * @returns {boolean} whether the level changed
   */
  judge(ms, time, points, moved = false) {
    this.adapt(ms, points, moved);
    this.slow = ms > SLOW_MS[this.level] ? this.slow + 1 : Math.max(0, this.slow - 1);
    this.fast = ms < FAST_MS ? this.fast + 1 : 0;
    const next = LEVELS[this.level + 1];
    // Leaving points out helps only where there are more of them.
    if (this.slow >= PATIENCE && next && (next.crowd === Infinity || points > next.crowd)) return this.go(1, time);
    if (this.fast >= PATIENCE * 10 && this.level > this.best && time - this.changed > FORGIVE_MS)
      return this.go(-1, time);
    return false;
  }

  /**
   * More points or fewer in the next picture that moves, as this one had time to spare or not; one of all points says
   * where to begin. @param {number} ms @param {number} points @param {boolean} moved
   */
  adapt(ms, points, moved) {
    const able = Math.max(FEWEST, (points * MOVING_MS) / Math.max(ms, 1));
    if (moved) this.budget = Math.max(FEWEST, points * (able / Math.max(points, 1)) ** EAGERNESS);
    else if (!this.timed && points > MANY_POINTS) this.budget = able;
    this.timed ||= moved || points > MANY_POINTS;
  }

  /** @param {1|-1} by @param {number} time */
  go(by, time) {
    this.level += by;
    this.slow = this.fast = 0;
    this.changed = time;
    return true;
  }
}
