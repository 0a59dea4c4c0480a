/** The lab's film behind the interface of the stage's stream: snapshots become frames when they are shown, in the view asked for. */
import { PLACE_SCALE } from "../common/messages.js";
import { parseProjection } from "../common/projections.js";
import { ReplaySource } from "../incoming/replay.js";
import { keptOrder, keptVariance, seen, TOURS, Shadow } from "./shadows.js";

/** @typedef {import("./race.js").Snapshot} Snapshot */
/** @typedef {import("../common/types.js").Vec3} Vec3 */
/** @typedef {(shot: Snapshot) => Record<string, Float64Array>} Ghosts landmarks (classes, dim) by name */

const STATE_MS = 400,
  HONESTY_MS = 250;
export const VIEW = "spread";

/** @param {Float32Array} places (n, 3) @returns {Vec3[]} */
const rowsOf = (places) =>
  Array.from(
    { length: places.length / 3 },
    (_, i) => /** @type {Vec3} */ (Array.from(places.subarray(3 * i, 3 * i + 3))),
  );

export class LabSource extends ReplaySource {
  /**
   * @param {import("./film.js").Film} film @param {import("../incoming/socket.js").SourceOptions} options
   * @param {(clock: import("../incoming/replayclock.js").ReplayClock) => void} onClock told of each turn of the clock
   */
  constructor(film, options, onClock = () => {}) {
    super(/** @type {any} */ (film), options);
    this.film = film;
    this.onClock = onClock;
    /** @type {string|null} */
    this.projection = null;
    /** @type {Map<string, {view: Shadow, header: object, kept: number|null, at: number}>} by run */
    this.views = new Map();
    this.stated = -Infinity;
    this.tick = false;
    /** What theory says, of moments as they are drawn; null: it is not wanted. @type {Ghosts|null} */
    this.ghosts = null;
  }

  open() {
    this.projection = new URL(this.address()).searchParams.get("projection");
    super.open();
    this.onClock(this.clock);
  }

  /** @param {Record<string, any>} message @returns {boolean} */
  send(message) {
    const { projection, ...rest } = message;
    if (projection !== undefined) {
      this.projection = projection;
      this.again();
    }
    if (!Object.keys(rest).length) return true;
    // Who stands at the newest moment and presses play wants what comes next, not all once more.
    const asked = rest.play && this.clock.step !== null && this.clock.step >= this.film.last ? { live: true } : rest;
    const sent = super.send(asked);
    this.onClock(this.clock);
    return sent;
  }

  drive() {
    super.drive();
    this.onClock(this.clock);
  }

  /** Shows the same moments once more, as in another view. */
  again() {
    this.shown.clear();
    this.show(true);
  }

  /** A tour moves on. */
  tour() {
    if (!this.isOpen || !TOURS.includes(/** @type {any} */ (this.projection))) return;
    this.tick = true;
    this.again();
    this.tick = false;
  }

  /** States come now and then: each holds all steps. @param {string} run @param {any} track @param {boolean} anew */
  introduce(run, track, anew) {
    const now = performance.now(),
      first = run === this.playing[0]?.[0];
    if (first && now - this.stated > STATE_MS) this.stated = now;
    if (anew || this.stated === now || now - this.stated < 2) super.introduce(run, track, anew);
    // A moment that is computed anew keeps its step.
    if (this.clock.mode === "follow") this.shown.delete(run);
  }

  /** @param {any} made a header, or a snapshot @param {boolean} [live] */
  deliver(made, live = false) {
    if (made.type === "run") return this.onMessage(made, made.payload, 0);
    const { header, payload } = this.draw(made, live);
    this.onMessage(header, payload, 0);
  }

  /** @param {Snapshot} shot @param {boolean} live */
  draw(shot, live) {
    const reel = /** @type {any} */ (this.film.of.get(shot.id)),
      { num_classes, dim, method, landmark } = reel.header;
    let known = this.views.get(shot.id);
    if (!known || known.view.dim !== dim || known.view.classes !== num_classes)
      this.views.set(
        shot.id,
        (known = { view: new Shadow(dim, num_classes), header: reel.header, kept: null, at: -Infinity }),
      );
    const { base, classes } = parseProjection(this.projection ?? VIEW),
      view = known.view.follow(base, classes, shot.means, this.tick),
      points = seen(view, shot.rows, dim),
      centres = seen(view, shot.means, dim),
      now = performance.now();
    if (dim > 3 && now - known.at > HONESTY_MS)
      Object.assign(known, { at: now, kept: keptOrder(shot.means, centres, dim) });
    const forces = shot.forces && {
      [method]: Object.fromEntries(
        Object.entries(shot.forces).map(([part, rows]) => [part, rowsOf(seen(view, rows, dim))]),
      ),
    };
    const landmarks = Object.fromEntries(
      Object.entries({ ...(shot.columns ? { [landmark]: shot.columns } : {}), ...this.ghosts?.(shot) }).map(
        ([name, rows]) => [name, rowsOf(seen(view, rows, dim))],
      ),
    );
    const header = {
      run: shot.id,
      step: shot.step,
      epoch: null,
      seconds: null,
      n: points.length / 3,
      centres: rowsOf(centres),
      landmarks,
      target_index: landmark === "targets" ? Array.from({ length: num_classes }, (_, c) => c) : null,
      metrics: Object.fromEntries(Object.entries(shot.metrics).filter(([, value]) => Number.isFinite(value))),
      projection: dim > 3 ? this.honesty(base, shot, points, known.kept) : null,
      predictions: false,
      arrays: {},
      ...(forces ? { forces } : {}),
      seq: ++this.seq,
      time: Date.now() / 1000,
      live,
    };
    return { header, payload: Int16Array.from(points, (v) => Math.round(PLACE_SCALE * v)).buffer };
  }

  /** @param {string} name @param {Snapshot} shot @param {Float32Array} points @param {number|null} order */
  honesty(name, shot, points, order) {
    const dim = (3 * shot.rows.length) / points.length;
    return {
      name,
      linear: true,
      pending: null,
      kept_variance: keptVariance(shot.rows, points, dim),
      ...(order === null ? {} : { kept_centre_order: order }),
    };
  }
}
