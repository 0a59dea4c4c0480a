/** A recording in the page itself, behind the interface of the stream's socket: what plays where there is no server. */
import { splitMessage } from "./frames.js";
import { ReplayClock } from "./replayclock.js";
import { words } from "../words.js";

/** @typedef {import("./socket.js").SourceOptions} SourceOptions */
/**
 * @typedef {{header: ArrayBuffer, state: Record<string, any>, steps: number[], frames: ArrayBuffer[]}} Track one run: its
 * own messages as the stream sends them, and a frame for each step
 */

export class ReplaySource {
  /**
   * @param {Map<string, Track>} tracks
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
    /** @type {Map<string, number>} which frame of a run was delivered last */
    this.shown = new Map();
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
    this.playing = [...this.tracks].filter(([id]) => runs.includes(id));
    this.clock = new ReplayClock(
      this.playing.map(([, { steps }]) => steps),
      Number(asked.get("hz")) || 10,
      step === null ? null : Number(step),
    );
    this.isOpen = true;
    this.onLink("open", "");
    for (const [run, { header, state }] of this.playing) {
      this.deliver(header);
      this.onMessage({ type: "state", ...state, run }, new ArrayBuffer(0), 0);
    }
    this.shown.clear();
    this.sayClock();
    this.drive();
  }

  close() {
    clearTimeout(this.timer);
    this.isOpen = false;
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
    for (const [run, { steps, frames }] of this.playing) {
      const at = this.clock.target(steps);
      if (at < 0 || (!again && this.shown.get(run) === at)) continue;
      this.shown.set(run, at);
      this.deliver(frames[at]);
    }
  }

  /** @param {ArrayBuffer} message */
  deliver(message) {
    const { header, offset } = splitMessage(message);
    if ("step" in header) Object.assign(header, { seq: ++this.seq, time: Date.now() / 1000, live: false });
    this.onMessage(header, message, offset);
  }
}
