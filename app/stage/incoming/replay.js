/**
 * Recordings that the page holds, or reads from files, behind the interface of the stream's socket: what plays where
 * there is no server.
 */
import { splitMessage } from "./frames.js";
import { ReplayClock } from "./replayclock.js";
import { words } from "../words.js";

/** @typedef {import("./socket.js").SourceOptions} SourceOptions */
/** @typedef {import("./tracks.js").Track} Track */
/** @typedef {import("./tracks.js").Tracks|import("./site.js").Site} Held */

export class ReplaySource {
  /**
   * @param {Held} tracks they may grow
   * @param {SourceOptions} options the address says runs, hz and step, as the stream's does
   */
  constructor(tracks, { address, onMessage, onLink }) {
    this.tracks = tracks;
    this.address = address;
    this.onMessage = onMessage;
    this.onLink = onLink;
    /** @type {[string, Track][]} those shown */
    this.playing = [];
    this.clock = new ReplayClock([], 10, null);
    this.grown = (/** @type {string} */ run, /** @type {boolean|null} */ anew) => this.welcome(run, anew);
    /** @type {Map<string, number>} which step of a run was delivered last */
    this.shown = new Map();
    /** @type {Map<string, ArrayBuffer>} what was delivered last of what moved in a run */
    this.moved = new Map();
    this.seq = 0;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.isOpen = false;
  }

  open() {
    this.close();
    const asked = new URL(this.address()).searchParams,
      runs = (asked.get("runs") ?? "").split(","),
      step = asked.get("step");
    this.playing = [...this.tracks.of].filter(([id]) => runs.includes(id));
    this.clock = new ReplayClock(
      this.playing.map(([, track]) => track),
      Number(asked.get("hz")) || 10,
      step === null ? null : Number(step),
    );
    this.isOpen = true;
    if ("linked" in this.tracks) {
      this.tracks.linked.add(this.onLink);
      this.onLink(...this.tracks.link);
    } else this.onLink("open", "");
    this.tracks.watchers.add(this.grown);
    for (const [run, track] of this.playing) this.introduce(run, track, true);
    this.shown.clear();
    this.sayClock();
    this.drive();
  }

  close() {
    clearTimeout(this.timer);
    this.tracks.watchers.delete(this.grown);
    if ("linked" in this.tracks) this.tracks.linked.delete(this.onLink);
    this.isOpen = false;
  }

  /** A run has news. @param {string} run @param {boolean|null} anew its header too; null: only a frame has come */
  welcome(run, anew) {
    const found = this.playing.find(([id]) => id === run);
    if (!found) return;
    if (anew) this.shown.delete(run);
    if (anew !== null) this.introduce(run, found[1], anew);
    this.drive();
  }

  /** @param {string} run @param {Track} track @param {boolean} anew */
  introduce(run, { header, state, steps, trouble, moves }, anew) {
    if (anew && header) this.deliver(header);
    if (moves && (anew || this.moved.get(run) !== moves)) {
      this.moved.set(run, moves);
      this.deliver(moves);
    }
    // All its steps, each time: some may have been thinned out.
    if (state.state)
      this.onMessage({ type: "state", ...state, run, steps, frames: steps.length }, new ArrayBuffer(0), 0);
    if (trouble) this.onMessage({ type: "error", run, message: trouble }, new ArrayBuffer(0), 0);
  }

  /**
   * Takes what the server would take; acknowledgements mean nothing here. @param {Record<string, any>} message
   * @returns {boolean} whether it was open
   */
  send(message) {
    if (!this.isOpen) return false;
    this.clock.obey(message);
    if ("projection" in message)
      this.onMessage(
        {
          type: "error",
          run: null,
          message: words.oneProjection,
        },
        new ArrayBuffer(0),
        0,
      );
    // As over a wire: whoever asks has finished asking before the answer comes.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.sayClock();
      this.drive();
    });
    return true;
  }

  /** Moves the clock on time, and shows what it wants. */
  drive() {
    clearTimeout(this.timer);
    const beat = this.clock.tick(performance.now() / 1000),
      wait = this.clock.wait(performance.now() / 1000);
    this.show(beat);
    if (wait !== null) this.timer = setTimeout(() => this.drive(), 1000 * wait);
  }

  sayClock() {
    const { mode, step, speed } = this.clock;
    this.onMessage({ type: "clock", mode, at: step, speed }, new ArrayBuffer(0), 0);
  }

  /** @param {boolean} again whether frames that are shown already come once more, so that the rate stays */
  show(again) {
    for (const [run, track] of this.playing) {
      const target = this.clock.target(track),
        follows = this.clock.mode === "follow" && track.live;
      const at = target >= 0 && "ask" in this.tracks ? this.tracks.ask(run, target, this.shown.get(run)) : target,
        frame = track.frames[at];
      if (!frame || ((!again || follows) && this.shown.get(run) === track.steps[at])) continue;
      this.shown.set(run, track.steps[at]);
      this.deliver(frame, follows);
    }
  }

  /** @param {ArrayBuffer} message @param {boolean} [live] it is the newest of a run that goes on */
  deliver(message, live = false) {
    const { header, offset } = splitMessage(message);
    if ("step" in header)
      Object.assign(header, { seq: ++this.seq, time: live ? header.time : Date.now() / 1000, live });
    this.onMessage(header, message, offset);
  }
}
