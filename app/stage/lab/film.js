/** What the lab has computed so far, moment by moment, so that time can be walked; as `Tracks` holds recordings. Pure. */

/** @typedef {import("./race.js").Snapshot} Snapshot */
/**
 * @typedef {object} Reel   one loss, in the shape of a `Track`
 * @property {Record<string, any>|null} header  of its run
 * @property {Record<string, any>} state
 * @property {number[]} steps      sorted
 * @property {Snapshot[]} frames   one for each step
 * @property {boolean} live
 */

const MOST_BYTES = 6e7,
  MOST_FRAMES = 1200;

export class Film {
  constructor() {
    /** @type {Map<string, Reel>} */
    this.of = new Map();
    /** @type {Set<(run: string, anew: boolean) => void>} */
    this.watchers = new Set();
  }

  /** Another race: nothing of the one before is left. @param {Map<string, object>} headers by run */
  begin(headers) {
    for (const id of this.of.keys()) if (!headers.has(id)) this.of.delete(id);
    for (const [id, header] of headers) {
      const fresh = { header, state: { state: "running", reason: null, total_steps: null, events: [] } };
      // In place: who plays it holds it.
      this.of.set(id, Object.assign(this.of.get(id) ?? {}, { ...fresh, steps: [], frames: [], live: true }));
    }
    for (const id of headers.keys()) for (const told of this.watchers) told(id, true);
  }

  /** Another header, such as other counts; what was computed stays. @param {string} id @param {object} header */
  rename(id, header) {
    const reel = this.of.get(id);
    if (!reel) return;
    reel.header = header;
    for (const told of this.watchers) told(id, true);
  }

  /** @param {Snapshot[]} shots @param {boolean} [passing] newer ones follow at once: nobody has to look */
  add(shots, passing = false) {
    for (const shot of shots) {
      const reel = this.of.get(shot.id);
      if (!reel) continue;
      this.cutReel(reel, shot.step - 1);
      reel.steps.push(shot.step);
      reel.frames.push(shot);
      this.thin(reel);
    }
    if (!passing) for (const { id } of shots) for (const told of this.watchers) told(id, false);
  }

  /** @param {Reel} reel @param {number} step what comes after it is forgotten */
  cutReel(reel, step) {
    while (reel.steps.length && reel.steps[reel.steps.length - 1] > step) {
      reel.steps.pop();
      reel.frames.pop();
    }
  }

  /** The last moments up to a step. @param {number} step @returns {Snapshot[]} */
  at(step) {
    return [...this.of.values()].flatMap(({ steps, frames }) => {
      const at = steps.findLastIndex((one) => one <= step);
      return at >= 0 ? [frames[at]] : [];
    });
  }

  /** Of a long way every second moment goes, but the first. @param {Reel} reel */
  thin(reel) {
    const last = reel.steps.length - 1;
    const shot = reel.frames[last];
    const size = 4 * (2 * shot.rows.length + shot.means.length + 2 * shot.cx.length) + 400;
    if (reel.steps.length <= Math.min(MOST_FRAMES, MOST_BYTES / this.of.size / size) || last < 4) return;
    const stays = (/** @type {unknown} */ _, /** @type {number} */ i) => i % 2 === 0 || i === last;
    reel.steps = reel.steps.filter(stays);
    reel.frames = reel.frames.filter(stays);
  }

  /** The newest step. */
  get last() {
    return Math.max(0, ...[...this.of.values()].map(({ steps }) => steps[steps.length - 1] ?? 0));
  }
}
