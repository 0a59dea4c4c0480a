/** A setting's curve on a page with a form: shown where the form says it, drawn by hand where the form asks for that. */
import { make, setText } from "../common/dom.js";
import { Curve } from "../common/curve.js";
import { significant } from "../common/numbers.js";
import { toHex } from "../common/colours.js";
import { readTheme, watchTheme } from "../common/theme.js";
import { fill } from "../words.js";
import { scheduleWords } from "./words.js";

/**
 * @typedef {object} ScheduleData
 * @property {string} place   of the chart on the page, which stays while what it asks for changes
 * @property {boolean} share  steps are told as shares of them all, in %
 * @property {import("../common/curve.js").CurveAsk} curve
 */
/**
 * @typedef {object} Component   as Streamlit's components v2 hand it over
 * @property {ScheduleData} data @property {ParentNode & Node} parentElement
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

const GRACE_MS = 1500,
  /** Points that are read out. */
  TOLD = 9,
  /** Of a chart until its column is known. @type {[number, number]} */
  SIZE = [220, 130],
  NARROWEST = 150,
  WIDEST = 460;

class Schedule {
  constructor() {
    /** @type {Component["setTriggerValue"]} */
    this.send = () => {};
    this.curve = new Curve((knots) => this.drawn(knots), scheduleWords, SIZE);
    this.numbers = make("p", "ltc-told", { "data-testid": "ltviz-curve-numbers" });
    this.root = make("div", "ltc-root", { "data-testid": "ltviz-schedule" });
    const href = new URL("../common/curve.css", import.meta.url).href;
    this.root.append(make("link", "", { rel: "stylesheet", href }), this.curve.root, this.numbers);
    const theme = watchTheme(this.root, () => this.dress()),
      size = new ResizeObserver(([{ contentRect: box }]) => this.fit(box.width));
    size.observe(this.root);
    this.end = () => {
      theme();
      size.disconnect();
    };
  }

  /** @param {ScheduleData} data */
  write({ share, curve }) {
    const told = share ? { handle: scheduleWords.handleShare, steps: scheduleWords.share } : {};
    this.curve.words = { ...scheduleWords, ...told };
    this.curve.write(curve);
    this.tell();
    this.dress();
  }

  /** Letters keep their size, whatever the column's. @param {number} width */
  fit(width) {
    if (width > 0) this.curve.resize(Math.round(Math.min(WIDEST, Math.max(NARROWEST, width))), SIZE[1]);
  }

  /** @param {number[]} knots */
  drawn(knots) {
    this.tell();
    this.send("drawn", { id: this.curve.ask?.id, knots });
  }

  /** The numbers, for who does not see the chart. */
  tell() {
    const { ask, knots } = this.curve;
    if (!ask) return;
    const known = ask.found ?? ask.past ?? [],
      every = Math.max(1, Math.ceil(known.length / TOLD));
    const points = known.filter((_, i) => i % every === 0 || i === known.length - 1);
    const said = (/** @type {[number, number][]} */ all) =>
      all.map(([step, value]) => `${significant(step, 3)}: ${significant(value, 3)}`).join(", ");
    const sentences = points.length
      ? [fill(ask.past ? scheduleWords.saysPast : scheduleWords.saysAll, { points: said(points) })]
      : [];
    if (knots && !ask.found) {
      const drawn = knots.flatMap((value, i) =>
        i % 4 ? [] : [/** @type {[number, number]} */ ([(100 * i) / (knots.length - 1), value])],
      );
      sentences.push(fill(scheduleWords.saysAll, { points: said(drawn) }));
    }
    setText(this.numbers, sentences.join(" "));
  }

  dress() {
    const theme = readTheme(this.root, null);
    for (const name of /** @type {const} */ (["page", "ink", "line"]))
      this.root.style.setProperty(`--ltc-${name}`, toHex(theme[name]));
  }

  detach() {
    this.end();
    this.root.remove();
  }
}

/** @type {Map<string, {schedule: Schedule, parent: Node, timer?: ReturnType<typeof setTimeout>}>} */
const mounted = new Map();

/** @param {Component} component @returns {() => void} called at unmount */
export default function mount({ data, parentElement, setTriggerValue }) {
  const here = mounted.get(data.place) ?? { schedule: new Schedule(), parent: parentElement };
  mounted.set(data.place, here);
  clearTimeout(here.timer);
  here.parent = parentElement;
  here.schedule.send = setTriggerValue;
  if (!parentElement.contains(here.schedule.root)) parentElement.append(here.schedule.root);
  here.schedule.write(data);
  return () => {
    if (here.parent !== parentElement) return;
    clearTimeout(here.timer);
    here.timer = setTimeout(() => {
      here.schedule.detach();
      if (mounted.get(data.place) === here) mounted.delete(data.place);
    }, GRACE_MS);
  };
}
