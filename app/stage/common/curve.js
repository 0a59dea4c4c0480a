/** A chart on which a person draws how a number will go: with the pointer, or by handles and arrow keys. */
import { make, setAttribute, setText } from "./dom.js";
import { formatMeasure, significant } from "./numbers.js";
import { fill } from "../words.js";

/**
 * @typedef {object} CurveAsk
 * @property {string} id
 * @property {string} question
 * @property {[number, number]} span    lowest and highest number
 * @property {[number, number]} steps   first and last
 * @property {number} begins            the number where the curve begins, which is given
 * @property {string} unit             as of measures; "number" for one that may be of any size
 * @property {number} knots             places at which a curve is known, evenly apart
 * @property {number[]|null} drawn      what the person has drawn
 * @property {[number, number][]|null} found  step and number, once they are known: nothing is drawn any more
 * @property {number} [from]            step where the curve begins; the first one where it is not said
 * @property {[number, number][]} [past]  step and number before that
 * @property {boolean} [free]           where it begins is the person's to draw too
 */
/** @typedef {Record<"chart"|"draw"|"begins"|"handle"|"steps"|"mine"|"found", string>} CurveWords */

const EDGE = { left: 46, right: 14, top: 12, bottom: 26 };
const HANDLES = 4,
  SHARES = 50;
const SVG = "http://www.w3.org/2000/svg";

/** @param {string} tag @param {Record<string, string|number>} given */
function draw(tag, given) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(given)) element.setAttribute(name, String(value));
  return element;
}

/**
 * A curve with some of its knots moved: what lies between two moved ones follows them. @param {number[]} knots
 * @param {[number, number]} from place and value, the place counted in knots @param {[number, number]} to
 * @param {boolean} [free] the first one moves too
 */
export function drawn(knots, from, to, free = false) {
  const [a, b] = from[0] <= to[0] ? [from, to] : [to, from];
  return knots.map((value, i) => {
    if ((i === 0 && !free) || i < Math.round(a[0]) || i > Math.round(b[0])) return value;
    const share = b[0] - a[0] < 1e-6 ? 1 : Math.min(1, Math.max(0, (i - a[0]) / (b[0] - a[0])));
    return a[1] + share * (b[1] - a[1]);
  });
}

export class Curve {
  /** @param {(knots: number[]) => void} changed @param {CurveWords} words @param {[number, number]} size of the chart */
  constructor(changed, words, [w, h] = [420, 190]) {
    this.changed = changed;
    this.words = words;
    this.w = w;
    this.h = h;
    /** @type {CurveAsk|null} */
    this.ask = null;
    /** @type {number[]|null} */
    this.knots = null;
    /** @type {[number, number]|null} where the pointer was */
    this.last = null;
    this.svg = draw("svg", { viewBox: `0 0 ${w} ${h}`, class: "ltc-chart", role: "group", "aria-label": words.chart });
    this.hint = make("p", "ltc-quiet", {}, words.draw);
    this.legend = make("p", "ltc-legend", { hidden: "" });
    this.root = make("div", "ltc-curve", { hidden: "", "data-testid": "ltviz-curve" });
    this.question = make("p", "ltc-question");
    this.root.append(this.question, this.svg, this.hint, this.legend);
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.last && this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.svg.addEventListener(end, () => this.release());
  }

  /** @param {CurveAsk|null} ask */
  write(ask) {
    const same = ask?.id === this.ask?.id;
    // What is being drawn is newer than what the page knows of it.
    if (!same || ask?.found) this.knots = ask?.drawn ?? null;
    if (same && this.ask && this.open && ask?.past && !ask.found) {
      // Only time has gone on: the handles keep the focus, and a hand what it holds.
      this.ask = { ...ask, begins: this.ask.begins };
      this.showPast();
      return;
    }
    this.ask = ask;
    this.root.hidden = !ask;
    if (!ask) return;
    setText(this.question, ask.question);
    this.question.hidden = !ask.question;
    setAttribute(this.svg, "aria-label", ask.question || this.words.chart);
    this.hint.hidden = ask.found !== null;
    this.legend.hidden = ask.found === null || !this.words.mine;
    this.legend.replaceChildren(
      make("span", "ltc-mine", {}, this.words.mine),
      make("span", "ltc-found", {}, this.words.found),
    );
    this.layout();
  }

  /** @param {number} w @param {number} h */
  resize(w, h) {
    if (w === this.w && h === this.h) return;
    [this.w, this.h] = [w, h];
    setAttribute(this.svg, "viewBox", `0 0 ${w} ${h}`);
    if (this.ask) this.layout();
  }

  get open() {
    return this.ask !== null && this.ask.found === null;
  }

  /** @param {number} value */
  say(value) {
    const unit = this.ask?.unit ?? "";
    return unit === "number" ? significant(value, 3) : formatMeasure(value, unit);
  }

  /** Share of the way at which the curve begins. */
  get begin() {
    const { from, steps } = /** @type {CurveAsk} */ (this.ask);
    return from === undefined ? 0 : (from - steps[0]) / (steps[1] - steps[0]);
  }

  /** Where a knot is. @param {number} at counted in knots */
  knotX(at) {
    const { knots } = /** @type {CurveAsk} */ (this.ask);
    return this.x(this.begin + (1 - this.begin) * (at / (knots - 1)));
  }

  /** Where a step is. @param {number} step */
  stepX(step) {
    const [first, last] = /** @type {CurveAsk} */ (this.ask).steps;
    return this.x((step - first) / (last - first));
  }

  /** @param {number} share of the way from the first step to the last */
  x(share) {
    return EDGE.left + share * (this.w - EDGE.left - EDGE.right);
  }

  /** @param {number} value */
  y(value) {
    const [low, high] = /** @type {CurveAsk} */ (this.ask).span;
    return this.h - EDGE.bottom - ((value - low) / (high - low)) * (this.h - EDGE.top - EDGE.bottom);
  }

  /** @param {[number, number][]} places */
  path(places) {
    return places.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  }

  /** Everything but the handles, which keep the focus while they move. */
  layout() {
    const ask = /** @type {CurveAsk} */ (this.ask),
      [low, high] = ask.span,
      [first, last] = ask.steps;
    const text = (/** @type {string} */ said, /** @type {Record<string, string|number>} */ at) => {
      const label = draw("text", at);
      label.textContent = said;
      return label;
    };
    const level = (/** @type {number} */ value) => [
      draw("line", { x1: this.x(0), x2: this.x(1), y1: this.y(value), y2: this.y(value), class: "ltc-axis" }),
      text(this.say(value), { x: EDGE.left - (ask.free ? 11 : 7), y: this.y(value) + 4, "text-anchor": "end" }),
    ];
    this.mine = draw("path", { class: "ltc-mine" });
    this.past = draw("path", { class: "ltc-past" });
    this.handles = ask.found ? [] : this.makeHandles(ask);
    this.svg.replaceChildren(
      ...[low, (low + high) / 2, high].flatMap(level),
      text(String(first), { x: this.x(0), y: this.h - 8 }),
      text(`${last} ${this.words.steps}`, { x: this.x(1), y: this.h - 8, "text-anchor": "end" }),
      this.past,
      ...(ask.found ? [draw("path", { class: "ltc-found", d: this.path(this.placed(ask.found)) })] : []),
      this.mine,
      ...(ask.free ? [] : [draw("circle", { cx: this.knotX(0), cy: this.y(ask.begins), r: 4, class: "ltc-begin" })]),
      ...(ask.found || ask.free ? [] : [text(...this.beginning(ask))]),
      ...this.handles.map(({ knob }) => knob),
    );
    this.showPast();
    this.show();
  }

  /** Steps and numbers on the chart. @param {[number, number][]} points @returns {[number, number][]} */
  placed(points) {
    return points.map(([step, value]) => [this.stepX(step), this.y(value)]);
  }

  /** What was before the curve. */
  showPast() {
    if (this.past && this.ask) setAttribute(this.past, "d", this.path(this.placed(this.ask.past ?? [])));
  }

  /**
   * What stands at the dot where the curve begins. @param {CurveAsk} ask
   * @returns {[string, Record<string, string|number>]}
   */
  beginning({ begins, span: [low, high] }) {
    const y = this.y(begins) + (begins > (low + high) / 2 ? 15 : -8);
    return [fill(this.words.begins, { value: this.say(begins) }), { x: this.knotX(0) + 9, y, class: "ltc-begins" }];
  }

  /** @param {CurveAsk} ask */
  makeHandles(ask) {
    const begins = ask.from ?? ask.steps[0],
      ends = ask.steps[1];
    return Array.from({ length: HANDLES + (ask.free ? 1 : 0) }, (_, i) => {
      const at = Math.round(((i + (ask.free ? 0 : 1)) * (ask.knots - 1)) / HANDLES);
      const step = Math.round(begins + (at / (ask.knots - 1)) * (ends - begins));
      const knob = draw("circle", {
        r: 7,
        cx: this.knotX(at),
        class: "ltc-handle",
        tabindex: 0,
        role: "slider",
        "aria-label": fill(this.words.handle, { step }),
        "aria-valuemin": ask.span[0],
        "aria-valuemax": ask.span[1],
        "aria-orientation": "vertical",
      });
      knob.addEventListener("keydown", (event) => this.key(/** @type {KeyboardEvent} */ (event), at));
      return { at, knob };
    });
  }

  /** What was drawn, on the chart. */
  show() {
    const ask = this.ask;
    if (!ask || !this.mine) return;
    const { knots } = this;
    setAttribute(this.mine, "d", knots ? this.path(knots.map((v, i) => [this.knotX(i), this.y(v)])) : "");
    for (const { at, knob } of this.handles ?? []) {
      const value = knots?.[at] ?? ask.begins;
      setAttribute(knob, "cy", this.y(value).toFixed(1));
      setAttribute(knob, "aria-valuenow", String(value));
      setAttribute(knob, "aria-valuetext", this.say(value));
      setAttribute(knob, "data-set", knots ? "true" : null);
    }
  }

  /** Place in knots, and value, under the pointer. @param {MouseEvent} event @returns {[number, number]} */
  place(event) {
    const ask = /** @type {CurveAsk} */ (this.ask),
      box = this.svg.getBoundingClientRect(),
      [low, high] = ask.span;
    const share = (((event.clientX - box.left) / box.width) * this.w - EDGE.left) / (this.w - EDGE.left - EDGE.right),
      up =
        (this.h - EDGE.bottom - ((event.clientY - box.top) / box.height) * this.h) / (this.h - EDGE.top - EDGE.bottom);
    const within = (/** @type {number} */ v) => Math.min(1, Math.max(0, v));
    return [within((share - this.begin) / (1 - this.begin)) * (ask.knots - 1), low + within(up) * (high - low)];
  }

  /** @param {Event} event */
  press(event) {
    const { ask } = this;
    if (!this.open || !ask) return;
    event.preventDefault();
    const here = this.place(/** @type {PointerEvent} */ (event)),
      fresh = this.knots === null;
    this.svg.setPointerCapture(/** @type {PointerEvent} */ (event).pointerId);
    // The first touch makes a whole curve: from where it begins straight to there, and level from there on.
    this.knots ??= Array(ask.knots).fill(ask.begins);
    if (fresh) this.knots = drawn(drawn(this.knots, [0, ask.begins], here), here, [ask.knots - 1, here[1]]);
    this.last = here;
    this.knots = drawn(this.knots, here, here, ask.free);
    this.show();
  }

  /** @param {Event} event */
  move(event) {
    if (!this.last || !this.knots || !this.ask) return;
    const here = this.place(/** @type {PointerEvent} */ (event));
    this.knots = drawn(this.knots, this.last, here, this.ask.free);
    this.last = here;
    this.show();
  }

  release() {
    if (!this.last || !this.knots) return;
    this.last = null;
    this.changed(this.knots);
  }

  /** @param {KeyboardEvent} event @param {number} at a knot */
  key(event, at) {
    const { ask } = this;
    const by = { ArrowUp: 1, ArrowDown: -1, ArrowRight: 1, ArrowLeft: -1, PageUp: 5, PageDown: -5 }[event.key];
    if (!by || !ask || !this.open) return;
    event.preventDefault();
    event.stopPropagation();
    const [low, high] = ask.span,
      gap = (ask.knots - 1) / HANDLES;
    const knots = this.knots ?? Array(ask.knots).fill(ask.begins);
    const value = Math.min(high, Math.max(low, knots[at] + (by * (high - low)) / SHARES));
    this.knots = drawn(knots, at ? [at - gap, knots[at - gap]] : [0, value], [at, value], ask.free);
    // What lies behind goes along until it has been set itself.
    const end = Math.min(ask.knots - 1, at + gap);
    if (end > at) this.knots = drawn(this.knots, [at, value], [end, this.knots[end]]);
    this.show();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.knots && this.changed(this.knots), 400);
  }

  /** @type {ReturnType<typeof setTimeout>|undefined} */
  timer = undefined;
  /** @type {Element|undefined} */
  mine = undefined;
  /** @type {Element|undefined} */
  past = undefined;
  /** @type {{at: number, knob: Element}[]|undefined} */
  handles = undefined;

  /** Where the stage's time stands, on the recorded curve. @param {number|null} step */
  stand(step) {
    const { ask } = this;
    if (!ask?.found || step === null) return;
    const near = ask.found.reduce((best, one) => (Math.abs(one[0] - step) < Math.abs(best[0] - step) ? one : best));
    if (!this.dot?.isConnected) this.svg.append((this.dot = draw("circle", { r: 4, class: "ltc-now" })));
    setAttribute(this.dot, "cx", this.stepX(near[0]).toFixed(1));
    setAttribute(this.dot, "cy", this.y(near[1]).toFixed(1));
  }

  /** @type {Element|undefined} */
  dot = undefined;
}
