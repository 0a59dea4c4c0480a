/** When the next picture may be drawn: not while the last is under way, not faster than the quality allows. */

/** Of the time a picture took in software, so much is left to others afterwards. */
const REST_SHARE = 0.5,
  LONGEST_REST_MS = 160;
/** Half a screen refresh early is better than a whole one late. */
const EARLY_MS = 8;

export class Pace {
  /**
   * @param {import("./picture.js").Picture} picture @param {() => void} onLevel called when the quality changed
   */
  constructor(picture, onLevel) {
    this.picture = picture;
    this.onLevel = onLevel;
    this.restUntil = 0;
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
      // Where the processor draws, it also trains and takes in frames: a pause after each picture leaves it room.
      if (renderer.software) this.restUntil = now + REST_SHARE * Math.min(ms, LONGEST_REST_MS / REST_SHARE);
    }
    if (now < this.restUntil && !urgent) return false;
    // The beat holds back motion, never news.
    return news || !dirty || now - this.drawnAt >= quality.now.beat - EARLY_MS;
  }
}
