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
const MOVING_MS = 55,
  MANY_POINTS = 50000,
  SOFTWARE_CROWD = 20000;

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
    /** Ms that a point took on pictures of many; 0: not known yet. */
    this.pace = 0;
  }

  get now() {
    return LEVELS[this.level];
  }

  /**
   * Every how many-th point is drawn while anything moves: of many so many as a picture has time for. At rest all are.
   * @param {number} points there are
   */
  thinning(points) {
    const known = this.pace > 0 ? MOVING_MS / this.pace : this.best ? SOFTWARE_CROWD : Infinity;
    const able = points > MANY_POINTS ? known : Infinity;
    return Math.max(1, Math.ceil(points / Math.min(this.now.crowd, able)));
  }

  /** Only what was given up for slowness is news; a processor's own level is its normal state. */
  get simplified() {
    return this.level > this.best ? words.levels[this.level] : "";
  }

  /**
   * @param {number} ms that one picture took @param {number} time ms @param {number} points on it
   * @returns {boolean} whether the level changed
   */
  judge(ms, time, points) {
    // Of few points most of the time goes elsewhere, and says nothing of many.
    if (points >= SOFTWARE_CROWD) this.pace = this.pace ? 0.7 * this.pace + 0.3 * (ms / points) : ms / points;
    this.slow = ms > SLOW_MS[this.level] ? this.slow + 1 : Math.max(0, this.slow - 1);
    this.fast = ms < FAST_MS ? this.fast + 1 : 0;
    const next = LEVELS[this.level + 1];
    // Leaving points out helps only where there are more of them.
    if (this.slow >= PATIENCE && next && (next.crowd === Infinity || points > next.crowd)) return this.go(1, time);
    if (this.fast >= PATIENCE * 10 && this.level > this.best && time - this.changed > FORGIVE_MS)
      return this.go(-1, time);
    return false;
  }

  /** @param {1|-1} by @param {number} time */
  go(by, time) {
    this.level += by;
    this.slow = this.fast = 0;
    this.changed = time;
    return true;
  }
}
