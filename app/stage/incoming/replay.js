/** A recording in the page itself, behind the interface of the stream's socket: what plays where there is no server. */
import { splitMessage } from "./frames.js";
import { ReplayClock } from "./replayclock.js";
import { lastAtMost } from "./steps.js";

/** @typedef {import("./socket.js").SourceOptions} SourceOptions */
/**
 * @typedef {{card: ArrayBuffer, state: Record<string, any>, steps: number[], frames: ArrayBuffer[]}} Track one run: its
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
    for (const [run, { card, state }] of this.playing) {
      this.deliver(card);
      this.onMessage({ type: "state", ...state, run }, new ArrayBuffer(0), 0);
    }
    this.sayClock();
    this.show();
    this.wait();
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
    const { clock } = this;
    if ("step" in message) clock.hold(Number(message.step));
    if ("speed" in message) clock.setSpeed(Number(message.speed));
    if (message.play) clock.play(message.from ?? null);
    if (message.live) clock.follow();
    if ("projection" in message)
      this.onMessage(
        {
          type: "error",
          run: null,
          message: "This file holds one projection; choose another in the app and save the file again.",
        },
        new ArrayBuffer(0),
        0,
      );
    // As over a wire: whoever asks has finished asking before the answer comes.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.sayClock();
      this.show();
      this.wait();
    });
    return true;
  }

  wait() {
    clearTimeout(this.timer);
    if (this.clock.mode === "hold") return;
    this.timer = setTimeout(() => {
      this.clock.tick();
      this.show();
      this.wait();
    }, this.clock.interval);
  }

  sayClock() {
    const { mode, step, speed } = this.clock;
    this.onMessage({ type: "clock", mode, at: step, speed }, new ArrayBuffer(0), 0);
  }

  show() {
    const { step } = this.clock;
    for (const [, { steps, frames }] of step === null ? [] : this.playing) {
      const at = lastAtMost(steps, step);
      if (at >= 0) this.deliver(frames[at]);
    }
  }

  /** @param {ArrayBuffer} message */
  deliver(message) {
    const { header, offset } = splitMessage(message);
    if ("step" in header) Object.assign(header, { seq: ++this.seq, time: Date.now() / 1000, live: false });
    this.onMessage(header, message, offset);
  }
}
