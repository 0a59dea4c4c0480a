/**
 * Recordings whose frames are files of a host that only serves files, in the shape of `Tracks`: a list of names is read
 * again and again, a frame when it is to be shown. service/site.py writes them.
 */
import { LIVE_STATES } from "./runs.js";
import { emptyTrack, gunzip } from "./tracks.js";

/** @typedef {import("./tracks.js").Track} Track */
/**
 * @typedef {{run: string, generation: string, state: Record<string, any>, header: string|null, moves?: string|null,
 * chapters: string[], steps: number[], frames: string[]}} Part   of the list: one run; its newest frames stand here, the
 * others in chapters; `moves` once it has ended
 */
/** @typedef {{every: number, over: boolean, runs: Part[]}} List */
/** @typedef {{steps: number[], frames: string[]}} Chapter */

/** Bytes of frames that are kept; those that were shown longest ago go first, and come back from the browser's cache. */
const MOST_BYTES = 2 ** 27;
/** Frames fetched at once, those beyond the one to be shown that are fetched beforehand, and how far back one may lie
 * that stands in for it. */
const AT_ONCE = 6,
  AHEAD = 4,
  BACK = 16;
/** Seconds without news after which the page says so, the longest pause before another try, and for one answer. */
const LATE = 30,
  LONGEST_WAIT = 30,
  PATIENCE = 20;
/** Before a frame that did not come is asked for again. */
const AGAIN_MS = 1000;
/** Share of the pause by which pages differ, so that many of them do not ask at once. */
const JITTER = 0.2;
const isName = (/** @type {unknown} */ name) => typeof name === "string" && /^[0-9a-f]{20}$/.test(name);

/** @param {string} name @returns {string} where the file lies, beside the page */
export function addressOfFile(name) {
  if (!isName(name)) throw new Error("The list of frames holds a name that is none.");
  return `files/${name.slice(0, 2)}/${name.slice(2)}.bin`;
}

export class Site {
  /**
   * @param {string[]} runs whose panels are there before anything has come @param {string} list address of the list
   * @param {(address: string, options: RequestInit) => Promise<Response>} [get] for tests
   */
  constructor(runs, list, get = (address, options) => fetch(address, options)) {
    this.list = list;
    this.get = get;
    /** @type {Map<string, Track>} a frame that is not here is null */
    this.of = new Map(runs.map((run) => [run, emptyTrack()]));
    /** @type {Map<string, string[]>} names of each run's frames, one for each step */
    this.names = new Map();
    /** @type {Map<string, string>} name of the header that a run has */
    this.headers = new Map();
    /** @type {Map<string, string>} name of what moved in a run, where that is here */
    this.moves = new Map();
    /** @type {Map<string, Chapter>} */
    this.chapters = new Map();
    /** @type {Map<string, ArrayBuffer>} frames by name, the one shown longest ago first */
    this.kept = new Map();
    this.bytes = 0;
    /** @type {Map<string, string[]>} names of frames that are wanted of a run, the most wanted first */
    this.wanted = new Map();
    /** @type {Set<string>} names of frames on their way */
    this.coming = new Set();
    /** @type {Map<string, number>} when a frame that did not come may be asked for again, ms */
    this.failed = new Map();
    /** @type {Set<(run: string, anew: boolean|null) => void>} as those of `Tracks`; null: of a frame that was wanted */
    this.watchers = new Set();
    /** @type {Set<(link: import("./socket.js").Link, detail: string) => void>} told how the host fares */
    this.linked = new Set();
    /** @type {[import("./socket.js").Link, string]} */
    this.link = ["connecting", ""];
    this.text = "";
    this.changed = performance.now();
    this.attempts = 0;
    this.over = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /** Reads the list from now on, until it says that nothing more comes. */
  async follow() {
    let wait = 1;
    try {
      wait = (await this.look()) * (1 + JITTER * (Math.random() - 0.5));
      this.attempts = 0;
      const isLate = performance.now() - this.changed > 1000 * LATE;
      this.say(isLate && !this.over ? "silent" : "open", "");
    } catch (error) {
      console.debug(error);
      wait = Math.min(LONGEST_WAIT, 2 ** this.attempts++);
      this.say("waiting", String(this.attempts));
    }
    if (!this.over) this.timer = setTimeout(() => this.follow(), 1000 * wait);
  }

  stop() {
    clearTimeout(this.timer);
  }

  /** @param {import("./socket.js").Link} link @param {string} detail */
  say(link, detail) {
    if (this.link[0] === link && this.link[1] === detail) return;
    this.link = [link, detail];
    for (const told of this.linked) told(link, detail);
  }

  /** Reads the list once: where it is the one of before, a host answers with a few bytes. @returns {Promise<number>}
   * seconds until it may be another */
  async look() {
    const answer = await this.get(this.list, { cache: "no-cache", signal: AbortSignal.timeout(1000 * PATIENCE) });
    if (!answer.ok) throw new Error(`The list of frames: ${answer.status}`);
    const text = await answer.text(),
      list = /** @type {List} */ (JSON.parse(text));
    if (text !== this.text) {
      for (const part of list.runs) await this.take(part);
      this.text = text;
      this.changed = performance.now();
      this.over = list.over;
    }
    return Math.min(60, Math.max(0.2, list.every || 1));
  }

  /** @param {Part} part */
  async take(part) {
    const track = this.of.get(part.run);
    if (!track) return;
    const before = await Promise.all(part.chapters.map((name) => this.chapter(name))),
      isAnother = track.generation !== part.generation,
      isNamed = part.header !== null && this.headers.get(part.run) !== part.header,
      header = isNamed && part.header !== null ? await this.file(part.header) : null;
    const moves =
      part.moves && (isAnother || this.moves.get(part.run) !== part.moves) ? await this.file(part.moves) : null;
    const all = [...before, part],
      names = all.flatMap(({ frames }) => frames);
    // In place: who plays it holds it.
    if (isAnother) Object.assign(track, emptyTrack(), { generation: part.generation });
    if (header) track.header = header;
    if (moves) track.moves = moves;
    if (isAnother || moves) this.moves.set(part.run, part.moves ?? "");
    if (part.header !== null) this.headers.set(part.run, part.header);
    this.names.set(part.run, names);
    track.steps = all.flatMap(({ steps }) => steps);
    track.frames = names.map((name) => this.kept.get(name) ?? null);
    track.state = part.state;
    track.live = LIVE_STATES.includes(part.state.state);
    for (const told of this.watchers) told(part.run, isAnother || header !== null);
  }

  /** @param {string} name @returns {Promise<Chapter>} */
  async chapter(name) {
    const known = this.chapters.get(name);
    if (known) return known;
    const chapter = JSON.parse(new TextDecoder().decode(await this.file(name)));
    this.chapters.set(name, chapter);
    return chapter;
  }

  /** What a file holds. @param {string} name */
  async file(name) {
    const answer = await this.get(addressOfFile(name), { signal: AbortSignal.timeout(1000 * PATIENCE) });
    if (!answer.ok) throw new Error(`A file of frames: ${answer.status}`);
    return gunzip(await answer.blob());
  }

  /**
   * The place of the frame to show for one that is wanted: itself, or while that comes the newest one before it that
   * is here and after what is shown; -1 where there is none. It is asked for, and those after it.
   * @param {string} run @param {number} at place of the step @param {number|undefined} shown step
   */
  ask(run, at, shown) {
    const track = /** @type {Track} */ (this.of.get(run)),
      names = this.names.get(run) ?? [];
    const wanted = names.slice(at, at + 1 + AHEAD).filter((name) => !this.kept.has(name));
    this.wanted.set(run, wanted);
    this.fetchWanted();
    if (track.frames[at]) {
      this.touch(names[at]);
      return at;
    }
    for (let i = at - 1; i >= Math.max(0, at - BACK) && track.steps[i] > (shown ?? -1); i--)
      if (track.frames[i]) return i;
    return -1;
  }

  fetchWanted() {
    for (const [run, names] of this.wanted)
      for (const name of names) {
        if (this.coming.size >= AT_ONCE) return;
        if (this.kept.has(name) || this.coming.has(name) || (this.failed.get(name) ?? 0) > performance.now()) continue;
        this.coming.add(name);
        this.fetchFrame(run, name);
      }
  }

  /** @param {string} run @param {string} name */
  async fetchFrame(run, name) {
    try {
      const frame = await this.file(name);
      this.failed.delete(name);
      this.keep(name, frame);
      const at = this.names.get(run)?.indexOf(name) ?? -1;
      if (at >= 0) /** @type {Track} */ (this.of.get(run)).frames[at] = frame;
    } catch (error) {
      // It has been thinned out meanwhile, or the host is busy.
      console.debug(error);
      this.failed.set(name, performance.now() + AGAIN_MS);
      setTimeout(() => this.tell(run), AGAIN_MS + 1);
    }
    this.coming.delete(name);
    this.tell(run);
    this.fetchWanted();
  }

  /** Whoever plays a run looks again. @param {string} run */
  tell(run) {
    for (const told of this.watchers) told(run, null);
  }

  /** @param {string} name @param {ArrayBuffer} frame */
  keep(name, frame) {
    this.kept.set(name, frame);
    this.bytes += frame.byteLength;
    for (const [other, { byteLength }] of this.kept) {
      if (this.bytes <= MOST_BYTES || other === name) break;
      this.kept.delete(other);
      this.bytes -= byteLength;
      for (const [run, names] of this.names) {
        const at = names.indexOf(other);
        if (at >= 0) /** @type {Track} */ (this.of.get(run)).frames[at] = null;
      }
    }
  }

  /** It is shown. @param {string} name */
  touch(name) {
    const frame = this.kept.get(name);
    if (!frame) return;
    this.kept.delete(name);
    this.kept.set(name, frame);
  }
}
