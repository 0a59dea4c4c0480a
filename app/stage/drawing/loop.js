/**
 * When pictures are drawn: when something has changed, and as often as the pace allows; new frames come in with them.
 */
import { Pace } from "./pace.js";
import { wantsCalm } from "../common/theme.js";
import { LIVE_STATES } from "../incoming/runs.js";

/**
 * @typedef {object} Told
 * @property {() => Iterable<import("../incoming/runs.js").Run>} runs   all that may have frames waiting
 * @property {() => boolean} steady       whether frames come at a beat
 * @property {() => boolean} urgent       whether a hand on the slider waits for frames
 * @property {(now: number) => void} before   just before a picture
 * @property {(now: number) => void} after    just after it
 * @property {(landed: import("../incoming/runs.js").Run[]) => void} onLanded the picture with their new frames has been
 * drawn to its end
 * @property {() => void} onLevel         the quality changed
 */

/** After so long without motion all points are drawn. */
const REST_MS = 250;
/** So long the first points are waited for. */
const PATIENCE_MS = 600;
/**
 * Frames that come at a beat are motion too: a picture of all points between two of them may take longer than the beat
 * and hold up the next. So long after a frame, in gaps between the last two, none is begun; where they come rarer than
 * this there is time for it.
 */
const BEATS = 2,
  RARE_MS = 4000;

/**
 * The runs of a race write their frames one after another. For so long the others are waited for: one picture of all is
 * there sooner than a second one after it.
 */
const GATHER_MS = 24;

export class Loop {
  /** @param {import("./picture.js").Picture} picture @param {Told} told */
  constructor(picture, told) {
    this.picture = picture;
    this.told = told;
    this.pace = new Pace(picture, () => this.requalify());
    /** A picture is wanted for another reason than a choice: a frame, another size, motion. */
    this.dirty = true;
    /** Version of the choices on the last picture. */
    this.drawn = -1;
    this.raf = 0;
    this.running = false;
    /** Points on the last picture. */
    this.points = 0;
    /** When something last moved, ms. */
    this.movedAt = -Infinity;
    /** When frames last came in, and how long after those before them, ms. */
    this.tookAt = -Infinity;
    this.gap = Infinity;
    /** When the first of the frames came in that wait to be shown, ms; Infinity: none does. */
    this.newsAt = Infinity;
    /** A hand holds the spheres since then, ms; Infinity: none does. */
    this.heldAt = Infinity;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.restTimer = undefined;
    /**
     * Runs whose new frames are on a picture that the card is still drawing.
     * @type {import("../incoming/runs.js").Run[]}
     */
    this.landing = [];
  }

  /** @param {boolean} [early] points are already on their way */
  start(early = false) {
    this.running = true;
    if (early) {
      this.picture.patience = performance.now() + PATIENCE_MS;
      setTimeout(() => this.invalidate(), PATIENCE_MS);
    }
    this.schedule();
  }

  stop() {
    this.running = false;
    cancelAnimationFrame(this.raf);
    clearTimeout(this.restTimer);
    this.raf = 0;
  }

  /** A hand takes hold of the spheres, or lets go. @param {boolean} held */
  hold(held) {
    const { dragged } = this;
    this.heldAt = held ? performance.now() : Infinity;
    if (!held && dragged) this.invalidate();
  }

  /** Whether a hand that holds the spheres has moved them. */
  get dragged() {
    return this.movedAt >= this.heldAt;
  }

  /** From when on nothing has moved for long enough, and no frame is expected, ms. */
  get restAt() {
    const beat = this.told.steady() && this.gap <= RARE_MS ? this.tookAt + BEATS * this.gap : -Infinity;
    return Math.max(this.movedAt + REST_MS, beat);
  }

  /** Something else than a choice asks for a picture; a choice only has to be looked at. */
  invalidate() {
    this.dirty = true;
    this.schedule();
  }

  schedule() {
    if (!this.raf && this.running) this.raf = requestAnimationFrame((now) => this.tick(now));
  }

  /** @param {number} now */
  tick(now) {
    this.raf = 0;
    const { picture, pace, told } = this,
      { cameras } = picture,
      gap = now - pace.drawnAt;
    if (picture.choices.version() !== this.drawn) this.dirty = true;
    const urgent = told.urgent() || this.dragged,
      news = this.hasNews(now) && (urgent || this.gathered(now)),
      allowed = pace.allows(now, { news, dirty: this.dirty, urgent, points: this.points });
    if (!pace.busy) this.land();
    if (!allowed || (this.newsAt < Infinity && !news)) return this.schedule();
    const taken = this.take(now);
    const turned = cameras.step(now, gap);
    if (taken.length || turned || picture.moving(now)) {
      this.dirty = true;
      this.movedAt = now;
    }
    if (!this.dirty) return;
    this.dirty = false;
    this.draw(now);
    this.landing = taken;
    if (cameras.moving || picture.moving(now)) this.dirty = true;
    this.schedule();
  }

  /** Whether frames wait to be shown. @param {number} now */
  hasNews(now) {
    const waits = [...this.told.runs()].some((run) => run.pending && run.info);
    this.newsAt = waits ? Math.min(this.newsAt, now) : Infinity;
    return waits;
  }

  /** Whether the frames that wait are all that are to be waited for. @param {number} now */
  gathered(now) {
    if (now - this.newsAt >= GATHER_MS) return true;
    return [...this.told.runs()].every((run) => run.pending || !run.frame || !LIVE_STATES.includes(run.state));
  }

  /** What was sent to the card has become a picture. */
  land() {
    if (this.landing.length) this.told.onLanded(this.landing.splice(0));
  }

  /** New frames become the goals of their runs. @param {number} now */
  take(now) {
    // Motion between frames would take the time of the next ones, for which a hand waits.
    const calm = wantsCalm() || this.told.urgent(),
      steady = this.told.steady(),
      taken = [];
    this.newsAt = Infinity;
    for (const run of this.told.runs()) {
      if (!run.pending || !run.info) continue;
      this.picture.accept(run, now, !calm, steady);
      taken.push(run);
    }
    // After a first look comes the same frame again.
    if (taken.some(({ frame }) => !frame?.rows)) [this.gap, this.tookAt] = [now - this.tookAt, now];
    return taken;
  }

  /** @param {number} now */
  draw(now) {
    const { picture } = this;
    // A hand that pauses in the midst of a drag must not wait for a picture of all.
    const { dragged } = this;
    // What is looked for under the pointer is on the picture to come.
    if (!dragged && now > this.restAt) picture.share = 1;
    this.told.before(now);
    // A choice moves the picture as a camera does, such as the ring under the pointer: all points may take seconds.
    if (this.drawn >= 0 && picture.choices.version() !== this.drawn) this.movedAt = now;
    const { restAt } = this;
    this.points = picture.draw(now, !dragged && now > restAt);
    // What was left out for speed comes as soon as nothing moves.
    clearTimeout(this.restTimer);
    if (picture.share < 1 && !dragged)
      this.restTimer = setTimeout(() => this.invalidate(), Math.max(0, restAt - now) + 20);
    this.drawn = this.picture.choices.version();
    this.pace.drawnAt = now;
    this.told.after(now);
  }

  /** The canvas was cleared: drawn within the same task, with what has come, nobody sees it empty. @param {number} now */
  redraw(now) {
    const taken = this.take(now),
      { picture } = this;
    if (taken.length) this.movedAt = now;
    this.draw(now);
    this.landing.push(...taken);
    this.dirty = picture.cameras.moving || picture.moving(now);
    this.schedule();
  }

  requalify() {
    // Another size clears the canvas, so it has to be drawn again.
    this.picture.fit();
    this.dirty = true;
    this.told.onLevel();
  }
}
