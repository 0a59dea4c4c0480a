/** A chart on which a learner draws how a number will go: with the pointer, or by handles and arrow keys. */
import { make, setAttribute, setText } from "../common/dom.js";
import { formatMeasure } from "../common/numbers.js";
import { fill } from "../words.js";
import { lessonWords as words } from "./words.js";

/**
 * @typedef {object} CurveAsk
 * @property {string} id
 * @property {string} question
 * @property {[number, number]} span    lowest and highest number
 * @property {[number, number]} steps   first and last
 * @property {number} begins            the number at the first step, which is given
 * @property {string} unit
 * @property {number} knots             places at which a curve is known, evenly apart
 * @property {number[]|null} drawn      what the learner has drawn
 * @property {[number, number][]|null} found  step and number, once they have been played
 */

const W = 420,
  H = 190,
  EDGE = { left: 46, right: 14, top: 12, bottom: 26 };
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
 */
export function drawn(knots, from, to) {
  const [a, b] = from[0] <= to[0] ? [from, to] : [to, from];
  return knots.map((value, i) => {
    if (i === 0 || i < Math.round(a[0]) || i > Math.round(b[0])) return value;
    const share = b[0] - a[0] < 1e-6 ? 1 : Math.min(1, Math.max(0, (i - a[0]) / (b[0] - a[0])));
    return a[1] + share * (b[1] - a[1]);
  });
}

export class Curve {
  /** @param {(knots: number[]) => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {CurveAsk|null} */
    this.ask = null;
    /** @type {number[]|null} */
    this.knots = null;
    /** @type {[number, number]|null} where the pointer was */
    this.last = null;
    this.svg = draw("svg", { viewBox: `0 0 ${W} ${H}`, class: "lle-chart", role: "group", "aria-label": words.chart });
    this.hint = make("p", "lle-quiet", {}, words.draw);
    this.legend = make("p", "lle-legend", { hidden: "" });
    this.root = make("div", "lle-curve", { hidden: "", "data-testid": "ltviz-curve" });
    this.question = make("p", "lle-question");
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
    this.ask = ask;
    this.root.hidden = !ask;
    if (!ask) return;
    setText(this.question, ask.question);
    setAttribute(this.svg, "aria-label", ask.question);
    this.hint.hidden = ask.found !== null;
    this.legend.hidden = ask.found === null;
    this.legend.replaceChildren(make("span", "lle-mine", {}, words.mine), make("span", "lle-found", {}, words.found));
    this.layout();
  }

  get open() {
    return this.ask !== null && this.ask.found === null;
  }

  /** @param {number} share of the way from the first step to the last */
  x(share) {
    return EDGE.left + share * (W - EDGE.left - EDGE.right);
  }

  /** @param {number} value */
  y(value) {
    const [low, high] = /** @type {CurveAsk} */ (this.ask).span;
    return H - EDGE.bottom - ((value - low) / (high - low)) * (H - EDGE.top - EDGE.bottom);
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
      draw("line", { x1: this.x(0), x2: this.x(1), y1: this.y(value), y2: this.y(value), class: "lle-axis" }),
      text(formatMeasure(value, ask.unit), { x: EDGE.left - 7, y: this.y(value) + 4, "text-anchor": "end" }),
    ];
    this.mine = draw("path", { class: "lle-mine" });
    this.handles = ask.found ? [] : this.makeHandles(ask);
    this.svg.replaceChildren(
      ...[low, (low + high) / 2, high].flatMap(level),
      text(String(first), { x: this.x(0), y: H - 8 }),
      text(`${last} ${words.steps}`, { x: this.x(1), y: H - 8, "text-anchor": "end" }),
      ...(ask.found
        ? [
            draw("path", {
              class: "lle-found",
              d: this.path(ask.found.map(([s, v]) => [this.x((s - first) / (last - first)), this.y(v)])),
            }),
          ]
        : []),
      this.mine,
      draw("circle", { cx: this.x(0), cy: this.y(ask.begins), r: 4, class: "lle-begin" }),
      ...(ask.found ? [] : [text(...this.beginning(ask))]),
      ...this.handles.map(({ knob }) => knob),
    );
    this.show();
  }

  /**
   * What stands at the dot where the curve begins. @param {CurveAsk} ask
   * @returns {[string, Record<string, string|number>]}
   */
  beginning({ begins, unit, span: [low, high] }) {
    const y = this.y(begins) + (begins > (low + high) / 2 ? 15 : -8);
    return [fill(words.begins, { value: formatMeasure(begins, unit) }), { x: this.x(0) + 9, y, class: "lle-begins" }];
  }

  /** @param {CurveAsk} ask */
  makeHandles(ask) {
    return Array.from({ length: HANDLES }, (_, i) => {
      const at = Math.round(((i + 1) * (ask.knots - 1)) / HANDLES);
      const step = Math.round(ask.steps[0] + (at / (ask.knots - 1)) * (ask.steps[1] - ask.steps[0]));
      const knob = draw("circle", {
        r: 7,
        cx: this.x(at / (ask.knots - 1)),
        class: "lle-handle",
        tabindex: 0,
        role: "slider",
        "aria-label": fill(words.handle, { step }),
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
    setAttribute(this.mine, "d", knots ? this.path(knots.map((v, i) => [this.x(i / (ask.knots - 1)), this.y(v)])) : "");
    for (const { at, knob } of this.handles ?? []) {
      const value = knots?.[at] ?? ask.begins;
      setAttribute(knob, "cy", this.y(value).toFixed(1));
      setAttribute(knob, "aria-valuenow", String(value));
      setAttribute(knob, "aria-valuetext", formatMeasure(value, ask.unit));
      setAttribute(knob, "data-set", knots ? "true" : null);
    }
  }

  /** Place in knots, and value, under the pointer. @param {MouseEvent} event @returns {[number, number]} */
  place(event) {
    const ask = /** @type {CurveAsk} */ (this.ask),
      box = this.svg.getBoundingClientRect(),
      [low, high] = ask.span;
    const share = (((event.clientX - box.left) / box.width) * W - EDGE.left) / (W - EDGE.left - EDGE.right),
      up = (H - EDGE.bottom - ((event.clientY - box.top) / box.height) * H) / (H - EDGE.top - EDGE.bottom);
    const within = (/** @type {number} */ v) => Math.min(1, Math.max(0, v));
    return [within(share) * (ask.knots - 1), low + within(up) * (high - low)];
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
    this.knots = drawn(this.knots, here, here);
    this.show();
  }

  /** @param {Event} event */
  move(event) {
    if (!this.last || !this.knots || !this.ask) return;
    const here = this.place(/** @type {PointerEvent} */ (event));
    this.knots = drawn(this.knots, this.last, here);
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
    this.knots = drawn(knots, [at - gap, knots[at - gap]], [at, value]);
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
  /** @type {{at: number, knob: Element}[]|undefined} */
  handles = undefined;

  /** Where the stage's time stands, on the recorded curve. @param {number|null} step */
  stand(step) {
    const { ask } = this;
    if (!ask?.found || step === null) return;
    const [first, last] = ask.steps,
      near = ask.found.reduce((best, one) => (Math.abs(one[0] - step) < Math.abs(best[0] - step) ? one : best));
    if (!this.dot?.isConnected) this.svg.append((this.dot = draw("circle", { r: 4, class: "lle-now" })));
    setAttribute(this.dot, "cx", this.x((near[0] - first) / (last - first)).toFixed(1));
    setAttribute(this.dot, "cy", this.y(near[1]).toFixed(1));
  }

  /** @type {Element|undefined} */
  dot = undefined;
}
