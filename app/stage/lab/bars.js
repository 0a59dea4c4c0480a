/** Counts of the classes as bars, which a hand can drag; on a logarithmic scale, head to tail. */
import { make, setAttribute } from "../common/dom.js";
import { HEAD } from "./counts.js";
import { fill } from "../words.js";
import { labWords as words } from "./words.js";

const LEAST_HEIGHT = 0.04;

/** Height of a bar, 0 to 1. @param {number} n */
const heightOf = (n) => LEAST_HEIGHT + (1 - LEAST_HEIGHT) * (Math.log(n) / Math.log(HEAD));
/** @param {number} height */
const countAt = (height) =>
  Math.max(1, Math.min(HEAD, Math.round(HEAD ** ((height - LEAST_HEIGHT) / (1 - LEAST_HEIGHT)))));

export class Bars {
  /** @param {(counts: number[]) => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {number[]} */
    this.counts = [];
    /** @type {HTMLElement[]} */
    this.bars = [];
    this.root = make("div", "ltl-bars", { role: "group", "aria-label": words.counts, title: words.counts });
    this.root.addEventListener("pointerdown", (event) => {
      this.root.setPointerCapture(event.pointerId);
      this.drag(event);
    });
    this.root.addEventListener("pointermove", (event) => event.buttons & 1 && this.drag(event));
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {PointerEvent} event */
  drag({ clientX, clientY }) {
    const box = this.root.getBoundingClientRect();
    const c = Math.floor(((clientX - box.left) / box.width) * this.counts.length);
    if (c >= 0 && c < this.counts.length) this.set(c, countAt((box.bottom - clientY) / box.height));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const c = this.bars.indexOf(/** @type {HTMLElement} */ (event.target)),
      by = { ArrowUp: 1.25, ArrowDown: 0.8 }[event.key];
    if (c < 0 || !by) return;
    event.preventDefault();
    const next = Math.round(this.counts[c] * by);
    this.set(c, next === this.counts[c] ? next + Math.sign(by - 1) : next);
  }

  /** @param {number} c @param {number} n */
  set(c, n) {
    const counts = [...this.counts];
    counts[c] = Math.max(1, Math.min(HEAD, n));
    if (counts[c] !== this.counts[c]) this.changed(counts);
  }

  /** @param {number[]} counts @param {string[]} colours */
  write(counts, colours) {
    this.counts = counts;
    if (this.bars.length !== counts.length) {
      this.bars = counts.map((_, c) =>
        make("i", "ltl-bar", {
          role: "slider",
          tabindex: counts.length > 24 ? "-1" : "0",
          "aria-valuemin": "1",
          "aria-valuemax": String(HEAD),
          "aria-label": fill(words.countOf, { c }),
        }),
      );
      this.root.replaceChildren(...this.bars);
    }
    this.bars.forEach((bar, c) => {
      bar.style.height = `${100 * heightOf(counts[c])}%`;
      bar.style.background = colours[c] ?? "currentColor";
      setAttribute(bar, "aria-valuenow", String(counts[c]));
      setAttribute(bar, "title", fill(words.bars, { n: counts[c], c }));
    });
  }
}
