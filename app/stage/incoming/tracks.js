/**
 * Recordings that the page holds itself: all of each in a replay file, parcel after parcel on somebody else's page. What
 * has come stays, so that time can be walked while whoever sends is busy, or gone.
 */
import { LIVE_STATES } from "./runs.js";
import { addSteps, lastAtMost } from "./steps.js";

/**
 * @typedef {object} Track   one run: its own messages as the stream sends them, and a frame for each step
 * @property {string|null} generation  of the run's folder: another one of its name has another
 * @property {ArrayBuffer|null} header  null: nothing is known of it yet
 * @property {Record<string, any>} state
 * @property {number[]} steps          sorted
 * @property {(ArrayBuffer|null)[]} frames  one for each step; null: it is not here, and can be asked for
 * @property {boolean} live            more are to come
 * @property {string|null} [trouble]   a sentence about it
 * @property {ArrayBuffer|null} [moves]  its message of what moved, where it came
 */
/**
 * @typedef {{run: string, generation: string|null, state: Record<string, any>, header: string|null, steps: number[],
 * frames: string[], trouble?: string|null, moves?: string}} Given   what is new of a run; messages are packed
 */
/**
 * @typedef {{n: number, anew: boolean, more: boolean, live: boolean, runs: Given[]}} Parcel   `n` counts them; `anew`: it
 * needs none before it; `more`: others are ready; `live`: others are to come
 */

/** Bytes that the frames of all runs may take; beyond, every second moment of a run goes. */
export const MOST_BYTES = 2 ** 28;

/** @param {string} text base64 of one gzipped message @returns {Promise<ArrayBuffer>} */
export async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return gunzip(new Blob([packed]));
}

/** @param {Blob} packed */
export const gunzip = (packed) =>
  new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();

/** @returns {Track} */
export const emptyTrack = () => ({ generation: null, header: null, state: {}, steps: [], frames: [], live: true });

export class Tracks {
  /** @param {string[]} runs whose panels are there before anything has come @param {number} [most] bytes */
  constructor(runs, most = MOST_BYTES) {
    /** @type {Map<string, Track>} */
    this.of = new Map(runs.map((run) => [run, emptyTrack()]));
    this.most = most;
    /** The last parcel taken. */
    this.n = 0;
    /** @type {Set<(run: string, anew: boolean) => void>} told of each run that has news; anew: its header too */
    this.watchers = new Set();
    /** @type {Promise<unknown>} parcels are taken one after another */
    this.taking = Promise.resolve();
  }

  /**
   * @param {Parcel} parcel @returns {Promise<boolean>} false: one before it never came, so that this one cannot be taken
   */
  take(parcel) {
    const taken = this.taking.then(() => this.takeNow(parcel));
    this.taking = taken.catch(() => {});
    return taken;
  }

  /** @param {Parcel} parcel */
  async takeNow({ n, anew, runs }) {
    if (n === this.n) return true;
    if (!anew && n !== this.n + 1) return false;
    for (const given of runs) await this.grow(given);
    this.n = n;
    return true;
  }

  /** @param {Given} given */
  async grow({ run, generation, state, header, steps, frames, trouble, moves }) {
    const track = this.of.get(run);
    if (!track) return;
    const [head, ...unpacked] = await Promise.all([header === null ? null : unpack(header), ...frames.map(unpack)]);
    const isAnother = track.generation !== generation;
    // In place: who plays it holds it.
    if (isAnother) Object.assign(track, emptyTrack(), { generation });
    if (head) track.header = head;
    if (moves) track.moves = await unpack(moves);
    steps.forEach((step, i) => this.put(track, step, /** @type {ArrayBuffer} */ (unpacked[i])));
    this.thin(track);
    Object.assign(track, { state, trouble });
    track.live = LIVE_STATES.includes(state.state);
    for (const told of this.watchers) told(run, isAnother || head !== null);
  }

  /** @param {Track} track @param {number} step @param {ArrayBuffer} frame */
  put({ steps, frames }, step, frame) {
    const at = lastAtMost(steps, step);
    if (steps[at] === step) frames[at] = frame;
    else {
      addSteps(steps, [step]);
      frames.splice(at + 1, 0, frame);
    }
  }

  /** The first and the last moment stay. @param {Track} track */
  thin(track) {
    const room = this.most / this.of.size;
    while (track.steps.length > 2 && track.frames.reduce((sum, frame) => sum + (frame?.byteLength ?? 0), 0) > room) {
      const last = track.steps.length - 1;
      const stays = (/** @type {unknown} */ _, /** @type {number} */ i) => i % 2 === 0 || i === last;
      track.steps = track.steps.filter(stays);
      track.frames = track.frames.filter(stays);
    }
  }
}
