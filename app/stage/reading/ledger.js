/** What is counted of a stage while it runs: for the badge, and for `window.ltviz.stage`. */
import { Moment } from "../incoming/moments.js";

/** @typedef {import("../incoming/runs.js").Run} Run */

export class Ledger {
  /** @param {import("./badge.js").Badge} badge @param {Record<string, any>} telemetry what the page may read */
  constructor(badge, telemetry) {
    this.badge = badge;
    this.telemetry = telemetry;
    /** Points have been seen. */
    this.seen = false;
    /** @type {() => void} */
    this.onSeen = () => {};
  }

  /** @param {() => void} act once points are seen, which they may be already */
  whenSeen(act) {
    if (this.seen) act();
    else this.onSeen = act;
  }

  /** A frame has come. @param {number} seq */
  arrived(seq) {
    this.badge.addArrival(performance.now());
    this.telemetry.frames++;
    this.telemetry.seq = seq;
  }

  /** Pictures with their new frames are on the screen. @param {Run[]} runs */
  landed(runs) {
    const { telemetry } = this;
    for (const run of runs) {
      if (!run.frame) continue;
      telemetry.drawn[run.id] = (telemetry.drawn[run.id] ?? 0) + 1;
      if (!(run instanceof Moment))
        this.badge.addDelay((telemetry.latencyMs = Date.now() - run.frame.header.time * 1000));
      if (!this.seen) this.onSeen();
      this.seen = true;
    }
  }

  /**
   * A picture is on its way to the screen. @param {number} now ms @param {import("../drawing/picture.js").Picture} picture
   * @param {number} points on it @param {Run[]} runs all of the stage, shown or not
   */
  drawn(now, picture, points, runs) {
    const { telemetry } = this;
    // Empty spheres are no news: the rate is that of pictures with a frame on them.
    if (picture.shown.some((run) => run.frame && run.info)) this.badge.addDrawing(now);
    telemetry.draws++;
    telemetry.points = points;
    telemetry.camera = { ...picture.camera.pose };
    telemetry.layers = picture.renderer.counts;
    telemetry.panels = runs.map((run) =>
      run instanceof Moment
        ? { run: run.of, step: run.frame ? run.step : null, frozen: true }
        : { run: run.id, step: run.frame?.header.step ?? null },
    );
    telemetry.step = runs.reduce((newest, run) => {
      const step = run instanceof Moment ? 0 : (run.frame?.header.step ?? 0);
      return Math.max(newest, step);
    }, 0);
  }

  /** @param {number} points on the last picture @param {Iterable<Run>} runs the live ones @param {number} panels
   * @param {string} simplified what drawing has given up */
  write(points, runs, panels, simplified) {
    const skipped = [...runs].reduce((sum, run) => sum + run.replaced, 0);
    const { drawn } = this.badge.write(performance.now(), { points, skipped, panels, simplified });
    Object.assign(this.telemetry, { fps: drawn, skipped, points });
  }
}
