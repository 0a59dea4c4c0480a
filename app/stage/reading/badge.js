/**
 * How fast and how much: latency, frames a second, points, frames skipped; and whether the drawing had to be
 * simplified.
 */
import { make, setAttribute, setText } from "../common/dom.js";
import { formatCount } from "../common/numbers.js";

const WINDOW_MS = 3000,
  KEPT = 120;

export class Badge {
  constructor() {
    this.text = make("span", "");
    this.root = make("div", "ltv-badge", { "data-testid": "ltviz-badge" }, this.text);
    /** @type {number[]} when frames came, ms */
    this.arrivals = [];
    /** @type {number[]} when pictures were drawn, ms */
    this.drawings = [];
    /** @type {number[]} from complete on disk to on screen, ms */
    this.delays = [];
  }

  /** @param {number} now ms */
  addArrival(now) {
    this.arrivals.push(now);
  }

  /** @param {number} now ms */
  addDrawing(now) {
    this.drawings.push(now);
  }

  /** @param {number} ms */
  addDelay(ms) {
    this.delays.push(ms);
    if (this.delays.length > KEPT) this.delays.shift();
  }

  /** Median of the last frames' delays, ms, or null. */
  get latency() {
    if (!this.delays.length) return null;
    return [...this.delays].sort((a, b) => a - b)[this.delays.length >> 1];
  }

  /** Events a second. @param {number[]} times trimmed to the window @param {number} now */
  rate(times, now) {
    while (times.length && times[0] < now - WINDOW_MS) times.shift();
    return (times.length * 1000) / WINDOW_MS;
  }

  /** @param {number} now @param {{points: number, skipped: number, panels: number, simplified: string}} facts */
  write(now, { points, skipped, panels, simplified }) {
    const received = this.rate(this.arrivals, now) / Math.max(1, panels),
      drawn = this.rate(this.drawings, now),
      latency = this.latency;
    const parts = [];
    if (latency !== null && received > 0.5) parts.push(`${Math.round(latency)} ms`);
    if (received > 0.5) parts.push(`${received.toFixed(received < 10 ? 1 : 0)} frames/s`);
    parts.push(`${formatCount(points)} points`, `${formatCount(skipped)} skipped`);
    setText(this.text, parts.join("  ·  "));
    setAttribute(
      this.root,
      "title",
      [
        "From a frame's completion on disk to the screen (median), frames received a second in each panel, points drawn, frames that a newer one overtook.",
        `Pictures drawn a second: ${drawn.toFixed(0)}.`,
        simplified,
      ]
        .filter(Boolean)
        .join("\n"),
    );
    return { drawn };
  }
}
