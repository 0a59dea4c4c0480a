/** When the next picture may be drawn: not while the last is under way, not faster than the quality allows. */

/** Of the time a picture took in software, so much is owed to others, who have it while nothing is drawn. */
const REST_SHARE = 0.5,
  LONGEST_REST_MS = 160;
/** So much may be owed: frames of several runs that come one after another are shown one after another. */
const CREDIT_MS = 120;
/** Half a screen refresh early is better than a whole one late. */
const EARLY_MS = 8;

export class Pace {
  /**
   * @param {import("./picture.js").Picture} picture @param {() => void} onLevel called when the quality changed
   */
  constructor(picture, onLevel) {
    this.picture = picture;
    this.onLevel = onLevel;
    /** Rest that was owed when the last picture was done, ms, and when that was. */
    this.owed = 0;
    this.doneAt = -Infinity;
    this.drawnAt = 0;
    /** The last picture is still under way. */
    this.busy = false;
  }

  /**
   * @param {number} now ms
   * @param {{news: boolean, dirty: boolean, urgent: boolean, points: number}} state whether frames
   *   wait to be shown, whether a picture is wanted, whether a hand waits for it, points on the last one
   * @returns {boolean} whether the view may go on; else it asks again at the next screen refresh
   */
  allows(now, { news, dirty, urgent, points }) {
    const { renderer, quality } = this.picture,
      { busy, ms } = renderer.progress();
    this.busy = busy;
    if (busy) return false;
    if (ms !== null) {
      if (document.visibilityState === "visible" && quality.judge(ms, now, points, this.picture.share < 1))
        this.onLevel();
      // Where the processor draws, it also trains and takes in frames: pauses between pictures leave it room.
      if (renderer.software) this.owed += Math.min(LONGEST_REST_MS, REST_SHARE * ms);
      this.doneAt = now;
    }
    const owed = Math.max(0, this.owed - (now - this.doneAt));
    if (owed > CREDIT_MS && !urgent) return false;
    // The beat holds back motion, never news.
    if (!news && dirty && now - this.drawnAt < quality.now.beat - EARLY_MS) return false;
    this.owed = owed;
    this.doneAt = now;
    return true;
  }
}
