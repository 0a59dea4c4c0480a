/**
 * A thin strip under the timeline: how many samples moved from class to class at each step. A click goes there, and
 * lights them.
 */
import { MOVE_KINDS } from "../incoming/moves.js";
import { make, setAttribute, setText } from "../common/dom.js";
import { formatCount } from "../common/numbers.js";
import { alike } from "../scene/choices.js";
import { comparedUpTo, countMoves, longestGap, movedIds, placeMoves, total } from "../scene/moved.js";
import { fill } from "../words.js";
import { movedWords } from "./words.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../scene/moved.js").Counts} Counts */
/** @typedef {import("../scene/moved.js").CountsAt} CountsAt */

/** Places for bars along the strip: as many as steps, within these; and its half height in units of its own. */
const FEWEST_PLACES = 24,
  MOST_PLACES = 160,
  HALF = 10;
/** A hand that points between bars means one so near at most, as a share of the strip. */
const REACH = 0.03;
const SVG = "http://www.w3.org/2000/svg";
const WAYS = /** @type {const} */ (["into", "out", "between"]);

export class MovedStrip {
  /**
   * @param {import("../scene/choices.js").Choices} choices @param {(step: number) => void} hold a step
   * @param {import("../reading/tips.js").Tips} tips
   */
  constructor(choices, hold, tips) {
    this.choices = choices;
    this.hold = hold;
    /** @type {import("../incoming/moves.js").MoveKind|"none"} */
    this.kind = "border";
    /** @type {Run[]} */
    this.runs = [];
    /** @type {CountsAt[]} */
    this.counted = [];
    /** @type {(Counts & {most: CountsAt})[]} */
    this.places = [];
    this.count = FEWEST_PLACES;
    /** What the strip was drawn of. @type {unknown[]} */
    this.drawn = [];
    /** @type {CountsAt|null} pointed at */
    this.pointed = null;
    this.shown = 0;
    const paths = WAYS.map((way) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("data-way", way);
      return path;
    });
    this.paths = /** @type {Record<keyof Counts, SVGPathElement>} */ (
      Object.fromEntries(WAYS.map((way, i) => [way, paths[i]]))
    );
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("aria-hidden", "true");
    this.svg.append(...paths);
    this.strip = make("div", "ltv-moved", { role: "slider", tabindex: "0", "data-testid": "ltviz-moved", hidden: "" });
    this.strip.append(this.svg);
    this.select = make("select", "ltv-select", { "aria-label": movedWords.choose });
    for (const kind of /** @type {const} */ ([...MOVE_KINDS, "none"]))
      this.select.append(make("option", "", { value: kind }, movedWords.kinds[kind][1]));
    this.text = make("span", "ltv-term");
    tips.explain(this.text, () => this.explain());
    this.root = make("div", "ltv-movedtext", { hidden: "", "data-testid": "ltviz-moved-text" }, this.select, this.text);
    this.listen();
  }

  listen() {
    this.select.addEventListener("change", () => {
      this.kind = /** @type {any} */ (this.select.value);
      this.write(this.runs, this.ends, this.shown);
    });
    this.strip.addEventListener("pointermove", (event) => this.point(this.find(event)));
    this.strip.addEventListener("pointerleave", () => this.point(null));
    this.strip.addEventListener("click", (event) => this.go(this.find(event)));
    this.strip.addEventListener("keydown", (event) => this.key(event));
  }

  /** @type {[number, number]} steps at the ends of the timeline */
  ends = [0, 1];

  /**
   * @param {Run[]} runs @param {[number, number]} ends first and last step of the timeline
   * @param {number} shown the step that is shown
   */
  write(runs, ends, shown) {
    const { kind } = this,
      { chosen } = this.choices.now;
    Object.assign(this, { runs, ends, shown });
    const known = runs.some((run) => run.moves && run.info && run.moves.at.length > 1);
    this.root.hidden = !known;
    this.strip.hidden = !known || kind === "none";
    if (!known) return;
    const drawn = [kind, chosen, ends, ...runs.map((run) => run.moves), ...runs.map((run) => run.info)];
    const same = drawn.length === this.drawn.length && drawn.every((one, i) => sameThing(one, this.drawn[i]));
    if (!same) {
      this.drawn = drawn;
      this.counted = kind === "none" ? [] : countMoves(runs, kind, chosen);
      const steps = Math.max(0, ...runs.map((run) => run.moves?.at.length ?? 0));
      this.count = Math.min(MOST_PLACES, Math.max(FEWEST_PLACES, steps));
      this.places = placeMoves(this.counted, ...ends, this.count);
      this.pointed = this.counted.find(({ step }) => step === this.pointed?.step) ?? null;
      this.draw();
    }
    this.say();
  }

  draw() {
    const parts = { into: "", out: "", between: "" };
    const up = ({ into, between } = /** @type {Counts} */ ({})) => into + between / 2,
      down = ({ out, between } = /** @type {Counts} */ ({})) => out + between / 2;
    let most = 1;
    this.places.forEach((at) => (most = Math.max(most, up(at), down(at))));
    const tall = (/** @type {number} */ count) => (HALF * Math.log1p(count)) / Math.log1p(most);
    setAttribute(this.svg, "viewBox", `0 0 ${this.count} ${2 * HALF}`);
    this.places.forEach((at, x) => {
      for (const [way, side, sign] of /** @type {["into"|"out", number, 1|-1][]} */ ([
        ["into", up(at), -1],
        ["out", down(at), 1],
      ])) {
        if (!side) continue;
        const height = tall(side),
          own = (height * at[way]) / side;
        const bar = (/** @type {number} */ from, /** @type {number} */ to) =>
          from < to ? `M${x + 0.07} ${HALF + sign * from}V${HALF + sign * to}h.86V${HALF + sign * from}z` : "";
        parts[way] += bar(0, own);
        parts.between += bar(own, height);
      }
    });
    for (const way of WAYS) setAttribute(this.paths[way], "d", parts[way]);
  }

  /** The step meant by a hand. @param {MouseEvent} event @returns {CountsAt|null} */
  find(event) {
    const { left, width } = this.strip.getBoundingClientRect(),
      place = Math.floor((this.count * (event.clientX - left)) / width);
    for (let off = 0; off <= Math.max(1, REACH * this.count); off++)
      for (const at of [this.places[place - off], this.places[place + off]]) if (at) return at.most;
    return null;
  }

  /** @param {CountsAt|null} at */
  point(at) {
    this.pointed = at;
    this.strip.style.cursor = at ? "pointer" : "";
    this.say();
  }

  /** @param {CountsAt|null} at */
  go(at) {
    if (!at || this.kind === "none") return;
    this.shown = at.step;
    this.pointed = this.pointed && at;
    this.hold(at.step);
    this.choices.set({ selected: movedIds(this.runs, this.kind, this.choices.now.chosen, at.step) });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const { counted, shown } = this,
      on = by > 0;
    this.go((on ? counted.find(({ step }) => step > shown) : counted.findLast(({ step }) => step < shown)) ?? null);
  }

  say() {
    const { kind, counted, shown } = this;
    setText(this.text, kind === "none" ? "" : this.tell());
    if (kind === "none") return;
    const at = counted.find(({ step }) => step === shown);
    for (const [name, value] of Object.entries({
      "aria-label": fill(movedWords.strip, { what: movedWords.kinds[kind][1] }),
      "aria-valuemin": this.ends[0],
      "aria-valuemax": this.ends[1],
      "aria-valuenow": Math.min(this.ends[1], Math.max(this.ends[0], shown)),
      "aria-valuetext": at ? tellAt(movedWords.at, kind, at) : "",
    }))
      setAttribute(this.strip, name, String(value));
  }

  /** What is pointed at, or all of it. */
  tell() {
    const { kind, counted, pointed } = this;
    if (kind === "none" || !counted.length) return movedWords.none;
    const sum = { into: 0, out: 0, between: 0, steps: counted.length };
    for (const at of counted) for (const way of WAYS) sum[way] += at[way];
    const text = pointed ? tellAt(movedWords.at, kind, pointed) : tellAt(movedWords.all, kind, sum);
    const step = pointed ? null : comparedUpTo(this.runs),
      told = step === null ? text : fill(movedWords.soFar, { text, step });
    return this.choices.now.chosen ? fill(movedWords.focused, { text: told }) : told;
  }

  /** What it means, and what it leaves out. */
  explain() {
    const { kind, runs } = this;
    if (kind === "none") return [movedWords.choose];
    const of = runs.filter((run) => run.moves && run.info);
    const notes = of.flatMap(({ title, moves, info }) => {
      const { at, joined, looked } = /** @type {import("../incoming/moves.js").Moves} */ (moves);
      return [
        joined ? fill(movedWords.joined, { title, step: at[Math.min(joined, at.length) - 1].step }) : "",
        looked === null ? "" : fill(movedWords.looked, { title, looked, count: info?.labels.length }),
      ];
    });
    return [
      movedWords.kinds[kind][1],
      movedWords.meaning[kind],
      movedWords.reading,
      fill(movedWords.left, { gap: longestGap(of) }),
      ...new Set(notes),
    ];
  }
}

/** @param {string} sentence @param {import("../incoming/moves.js").MoveKind} kind @param {Counts} counts */
function tellAt(sentence, kind, counts) {
  const count = total(counts),
    [many, , one] = movedWords.kinds[kind];
  const numbers = Object.fromEntries(WAYS.map((way) => [way, formatCount(counts[way])]));
  return fill(sentence, { ...counts, ...numbers, count: formatCount(count), what: count === 1 ? one : many });
}

/** Arrays of steps and sets of classes by what they hold, all else by itself. @param {unknown} a @param {unknown} b */
const sameThing = (a, b) =>
  Object.is(a, b) || ((a instanceof Set || (Array.isArray(a) && a.length === 2)) && alike(a, b));
