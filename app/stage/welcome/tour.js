/** The tour: a few stops on the real interface, each for as long as the person likes, and over whenever they like. */
import { make, setText } from "../common/dom.js";
import { wantsCalm } from "../common/theme.js";
import { fill } from "../words.js";
import { welcomeWords as words } from "./words.js";

/** @typedef {import("../assembly.js").Stage} Stage */

const LOOK_MS = 250,
  GAP = 12,
  EDGE = 16,
  MARGIN = 6,
  TAIL = 2,
  NEXT_KEYS = ["ArrowRight", "ArrowDown", "PageDown"],
  BACK_KEYS = ["ArrowLeft", "ArrowUp", "PageUp"];

export class Tour {
  /** @param {Stage} stage @param {string} act selector of what the last stop points at, outside of the stage */
  constructor(stage, act) {
    this.stage = stage;
    this.act = act;
    this.at = 0;
    /** @type {{target: Element|null, title: string, text: string, light: boolean}[]} */
    this.stops = [];
    this.ring = make("div", "ltw-ring", { "aria-hidden": "true" });
    this.count = make("small", "ltw-count");
    this.title = make("strong", "", { id: "ltw-title" });
    this.text = make("p", "", { id: "ltw-text" });
    this.skip = make("button", "ltw-later", { type: "button" }, words.skip);
    this.back = make("button", "ltw-later", { type: "button" }, words.back);
    this.next = make("button", "ltw-start", { type: "button" });
    const said = make("div", "", { "aria-live": "polite" }, this.count, this.title, this.text);
    const labelled = { "aria-labelledby": "ltw-title", "aria-describedby": "ltw-text", "data-testid": "ltviz-tour" };
    this.note = make("div", "ltw-note", {}, said, make("div", "ltw-acts", {}, this.skip, this.back, this.next));
    this.root = make("dialog", "ltw-tour", labelled, this.ring, this.note);
    this.skip.addEventListener("click", () => this.root.close());
    this.back.addEventListener("click", () => this.go(-1));
    this.next.addEventListener("click", () => this.go(1));
    this.root.addEventListener("close", () => this.end());
    this.root.addEventListener("keydown", (event) => this.key(event));
    /** @type {ReturnType<typeof setInterval>|undefined} */
    this.timer = undefined;
    /** Classes in focus before the tour lit the rare ones. @type {{chosen: ReadonlySet<number>|null}|null} */
    this.before = null;
  }

  /** Once there is something to be shown. */
  startSoon() {
    const ready = () => this.stage.attached && this.stage.shown.some(({ frame }) => frame);
    const wait = setInterval(() => {
      if (!ready()) return;
      clearInterval(wait);
      this.start();
    }, LOOK_MS);
  }

  start() {
    const { parts, root } = this.stage;
    const targets = [parts.stage, parts.legend.scale, parts.stage, parts.timeline.root, parts.table.root];
    const acts = [...targets, document.querySelector(this.act)];
    this.stops = words.stops
      .map((stop, i) => ({ ...stop, target: acts[i], light: i === 1 }))
      .filter(({ target }, i) => i === words.stops.length - 1 || isShown(target));
    root.append(this.root);
    this.at = 0;
    this.root.showModal();
    this.timer = setInterval(() => this.place(), LOOK_MS);
    this.show();
    this.next.focus();
  }

  /** @param {number} by */
  go(by) {
    const at = this.at + by;
    if (at >= this.stops.length) return this.root.close();
    this.at = Math.max(0, at);
    this.show();
  }

  show() {
    const { title, text, target, light } = this.stops[this.at];
    setText(this.count, fill(words.count, { number: this.at + 1, count: this.stops.length }));
    setText(this.title, title);
    setText(this.text, text);
    setText(this.next, this.at + 1 < this.stops.length ? words.next : words.done);
    this.back.hidden = this.at === 0;
    this.light(light);
    target?.scrollIntoView({ block: "nearest", behavior: "instant" });
    this.ring.classList.toggle("ltw-calm", wantsCalm());
    this.place();
  }

  /** The rare classes alone, or as it was. @param {boolean} on */
  light(on) {
    const { choices, shown } = this.stage;
    if (on && !this.before) {
      const groups = shown.find(({ info }) => info)?.info?.header.groups ?? [];
      this.before = { chosen: choices.now.chosen };
      choices.set({ chosen: new Set(groups.flatMap((group, c) => (group === TAIL ? [c] : []))) });
    } else if (!on && this.before) {
      choices.set(this.before);
      this.before = null;
    }
  }

  /** The ring around its target, and the words beside it: the page may have moved. */
  place() {
    const { target, light } = this.stops[this.at],
      // What is lit is seen on the spheres, below the scale that tells of it.
      box = isShown(target) ? around(target, light ? this.stage.parts.stage : target) : null,
      { style } = this.ring,
      { innerWidth: wide, innerHeight: high } = window,
      { offsetWidth: w, offsetHeight: h } = this.note;
    const [x, y] = box ? [Math.max(0, box.left - MARGIN), Math.max(0, box.top - MARGIN)] : [wide / 2, high / 2];
    const right = box ? Math.min(wide, box.right + MARGIN) : x,
      end = box ? Math.min(high, box.bottom + MARGIN) : y;
    Object.assign(style, { left: `${x}px`, top: `${y}px`, width: `${right - x}px`, height: `${end - y}px` });
    const top = end + GAP + h <= high - EDGE ? end + GAP : y - GAP - h >= EDGE ? y - GAP - h : high - h - EDGE;
    const left = Math.min(
      Math.max(EDGE, x + (end + GAP + h > high - EDGE && y - GAP - h < EDGE ? EDGE : 0)),
      wide - w - EDGE,
    );
    Object.assign(this.note.style, { left: `${left}px`, top: `${box ? top : (high - h) / 2}px` });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    event.stopPropagation();
    const by = NEXT_KEYS.includes(event.key) ? 1 : BACK_KEYS.includes(event.key) ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    this.go(by);
  }

  end() {
    clearInterval(this.timer);
    this.light(false);
    this.root.remove();
    this.stage.canvas.focus({ preventScroll: true });
  }
}

/** @param {Element} one @param {Element} other */
function around(one, other) {
  const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
  const [left, top] = [Math.min(a.left, b.left), Math.min(a.top, b.top)];
  return { left, top, right: Math.max(a.right, b.right), bottom: Math.max(a.bottom, b.bottom) };
}

/** @param {Element|null} element @returns {element is Element} */
function isShown(element) {
  const box = element?.getBoundingClientRect();
  return box !== undefined && box.width > 0 && box.height > 0;
}
