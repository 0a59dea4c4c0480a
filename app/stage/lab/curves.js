/** Small charts of what is measured against the step, one line a loss; drawn anew a few times a second. */
import { make, setAttribute } from "../common/dom.js";
import { formatMeasure } from "../common/numbers.js";
import { fill } from "../words.js";
import { labWords as words } from "./words.js";

/** @typedef {import("./film.js").Film} Film */
/** @typedef {{ink: string, quiet: string, line: string, colours: Map<string, string>}} Look */
/**
 * @typedef {object} Chart
 * @property {keyof typeof words.curves} key
 * @property {string[]} lines      metrics, the first full, the second dashed
 * @property {boolean} logarithmic
 * @property {boolean} own         each line on a scale of its own
 * @property {string[]} [ceilings]  metrics that the lines cannot exceed, from 0 on
 */

/** @type {Chart[]} */
const CHARTS = [
  { key: "simplex_deviation_max", lines: ["simplex_deviation_max"], logarithmic: true, own: false },
  { key: "centre_sum", lines: ["centre_sum"], logarithmic: false, own: false },
  { key: "angles", lines: ["smallest_head", "smallest_tail"], logarithmic: false, own: false },
  { key: "rows", lines: ["smallest_tail_rows", "smallest_tail"], logarithmic: false, own: false },
  { key: "theory", lines: ["theory_error", "simplex_error"], logarithmic: false, own: false },
  { key: "loss", lines: ["loss"], logarithmic: false, own: true },
];
/** @type {Chart[]} */
export const INFORMATION = [
  {
    key: "information",
    lines: ["information_labels", "information_inputs"],
    logarithmic: false,
    own: false,
    ceilings: ["information_labels_ceiling", "information_inputs_ceiling"],
  },
];
/** Charts that not every loss has something on. */
const SOME = ["rows", "theory"];
const LEFT = 34,
  RIGHT = 8,
  TOP = 8,
  BOTTOM = 18,
  MOST_POINTS = 240,
  LEAST = 1e-8,
  /** Steps from which on the axis is logarithmic, and up to about which it is linear even then. */
  LONG = 1500,
  LINEAR = 50,
  /** A ceiling that lies so much higher than all that is drawn would only press it down. */
  FAR = 1.6;

export class Curves {
  /** @param {(step: number) => void} goTo a step that was clicked @param {Chart[]} [charts] */
  constructor(goTo, charts = CHARTS) {
    this.charts = charts.map((chart) => {
      const [title, hint] = words.curves[chart.key];
      const canvas = make("canvas", "ltl-chart", { role: "img", "data-chart": chart.key });
      const figure = make("figure", "ltl-figure", {}, make("figcaption", "", { title: hint }, title), canvas);
      canvas.addEventListener("click", (event) => {
        const share = (event.offsetX - LEFT) / Math.max(1, canvas.clientWidth - LEFT - RIGHT);
        goTo(stepAt(Math.max(0, Math.min(1, share)), this.last));
      });
      return { chart, canvas, figure };
    });
    this.last = 0;
    this.root = make("div", "ltl-curves", {}, ...this.charts.map(({ figure }) => figure));
  }

  /** @param {Film} film @param {Look} look @param {number|null} held step that the stage holds */
  draw(film, look, held) {
    this.last = film.last;
    const shown = this.charts.filter(({ figure }) => !figure.hidden).length;
    setAttribute(this.root, "data-shown", String(shown));
    for (const { chart, canvas, figure } of this.charts) {
      const lines = linesOf(chart, film);
      figure.hidden = SOME.includes(chart.key) && !lines.some(({ values }) => values.length);
      const pen = prepare(canvas);
      if (!pen) continue;
      const { w, h, context } = pen;
      const ceilings = ceilingsOf(chart, film, lines);
      const scale = scaleOf(chart, lines, ceilings, Math.max(1, this.last), w, h);
      drawGrid(context, chart, scale, look, w, h);
      drawCeilings(context, ceilings, scale, look, w);
      for (const { id, values, dashed } of lines) {
        context.strokeStyle = look.colours.get(id) ?? look.ink;
        context.lineWidth = 1.6;
        context.setLineDash(dashed ? [4, 3] : []);
        context.beginPath();
        const own = chart.own ? rangeOf(values.map(([, v]) => v)) : null;
        for (const [step, value] of values)
          context.lineTo(scale.x(step), scale.y(own ? (value - own.low) / own.size : value));
        context.stroke();
      }
      context.setLineDash([]);
      if (held !== null) {
        context.strokeStyle = look.quiet;
        context.lineWidth = 1;
        context.beginPath();
        context.moveTo(scale.x(held), TOP);
        context.lineTo(scale.x(held), h - BOTTOM);
        context.stroke();
      }
      const said = { title: words.curves[chart.key][0], count: film.of.size, step: this.last };
      setAttribute(canvas, "aria-label", fill(words.chartSays, said));
    }
  }
}

/** @param {HTMLCanvasElement} canvas @returns {{w: number, h: number, context: CanvasRenderingContext2D}|null} */
export function prepare(canvas) {
  const w = canvas.clientWidth,
    h = canvas.clientHeight,
    ratio = Math.min(2, window.devicePixelRatio || 1);
  const context = canvas.getContext("2d");
  if (!w || !h || !context) return null;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio);
    canvas.height = Math.round(h * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, w, h);
  return { w, h, context };
}

/**
 * Where a step lies on the axis, 0 to 1: a long way is shown by its logarithm, or its beginning could not be seen.
 * @param {number} step @param {number} last
 */
export const shareOf = (step, last) =>
  last > LONG ? Math.log1p(step / LINEAR) / Math.log1p(last / LINEAR) : step / last;

/** The other way round. @param {number} share @param {number} last */
export const stepAt = (share, last) =>
  Math.round(last > LONG ? LINEAR * Math.expm1(share * Math.log1p(last / LINEAR)) : share * last);

/** @param {Chart} chart @param {Film} film */
const linesOf = (chart, film) =>
  [...film.of].flatMap(([id, { steps, frames }]) => {
    const stride = Math.max(1, Math.ceil(frames.length / MOST_POINTS));
    // Of rows and means together only where there are both.
    if (chart.key === "rows" && frames.at(-1)?.metrics.smallest_tail_rows === undefined) return [];
    return chart.lines.map((metric, i) => {
      const values = frames.flatMap(({ metrics }, at) => {
        const value = metrics[metric];
        const wanted = at % stride === 0 || at === frames.length - 1;
        return wanted && Number.isFinite(value) ? [/** @type {[number, number]} */ ([steps[at], value])] : [];
      });
      return { id, values, dashed: i > 0 };
    });
  });

/** @param {number[]} values */
function rangeOf(values) {
  const low = Math.min(...values),
    high = Math.max(...values);
  return { low, size: Math.max(1e-12, high - low) };
}

/**
 * What the lines cannot exceed at the newest step, as far as it is near. @param {Chart} chart @param {Film} film
 * @param {{values: [number, number][]}[]} lines @returns {{word: string, value: number}[]}
 */
function ceilingsOf({ ceilings = [] }, film, lines) {
  const newest = [...film.of.values()].flatMap(({ frames }) => frames.slice(-1));
  let high = Math.max(0, ...lines.flatMap(({ values }) => values.map(([, value]) => value)));
  /** @type {{word: string, value: number}[]} */
  const found = [];
  for (const metric of ceilings) {
    const value = Math.max(...newest.map(({ metrics }) => metrics[metric] ?? -Infinity));
    // The first one is always there.
    if (!Number.isFinite(value) || (found.length && value > FAR * high)) continue;
    found.push({ word: words.ceilings[/** @type {keyof typeof words.ceilings} */ (metric)], value });
    high = Math.max(high, value);
  }
  return found;
}

/** @param {CanvasRenderingContext2D} pen @param {{word: string, value: number}[]} ceilings
 * @param {ReturnType<typeof scaleOf>} scale @param {Look} look @param {number} w */
function drawCeilings(pen, ceilings, scale, look, w) {
  pen.strokeStyle = pen.fillStyle = look.quiet;
  pen.lineWidth = 1;
  pen.textAlign = "right";
  for (const { word, value } of ceilings) {
    const y = scale.y(value);
    pen.setLineDash([5, 4]);
    pen.beginPath();
    pen.moveTo(LEFT, y);
    pen.lineTo(w - RIGHT, y);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillText(fill(word, { value: formatMeasure(value, "") }), w - RIGHT, y - 4);
  }
}

/** @param {Chart} chart @param {{values: [number, number][]}[]} lines @param {{value: number}[]} ceilings
 * @param {number} last @param {number} w @param {number} h */
function scaleOf({ logarithmic, own, ceilings: bounded }, lines, ceilings, last, w, h) {
  const all = [
    ...lines.flatMap(({ values }) => values.map(([, value]) => value)),
    ...ceilings.map(({ value }) => value),
  ];
  if (bounded) all.push(0);
  const to = (/** @type {number} */ v) => (logarithmic ? Math.log10(Math.max(LEAST, v)) : v);
  let low = own || !all.length ? 0 : Math.min(...all.map(to)),
    high = own || !all.length ? 1 : Math.max(...all.map(to));
  if (logarithmic) [low, high] = [Math.min(Math.floor(low), -1), Math.max(0.3, high)];
  else if (!own) {
    // Never so little that marks would fall on one another.
    const pad = Math.max(0.05 * (high - low), 2e-3 * Math.abs(high), 1e-4);
    [low, high] = [Math.max(0, low - pad), high + (bounded ? 3 * pad : pad)];
  }
  const size = high - low || 1;
  return {
    low,
    high,
    x: (/** @type {number} */ step) => LEFT + shareOf(step, last) * (w - LEFT - RIGHT),
    y: (/** @type {number} */ value) => h - BOTTOM - ((to(value) - low) / size) * (h - TOP - BOTTOM),
    at: (/** @type {number} */ place) => h - BOTTOM - ((place - low) / size) * (h - TOP - BOTTOM),
    last,
  };
}

/** @param {CanvasRenderingContext2D} pen @param {Chart} chart @param {ReturnType<typeof scaleOf>} scale
 * @param {Look} look @param {number} w @param {number} h */
function drawGrid(pen, { logarithmic, own }, scale, look, w, h) {
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = look.quiet;
  pen.strokeStyle = look.line;
  pen.lineWidth = 1;
  pen.textAlign = "right";
  const marks = ticks(scale.low, scale.high, logarithmic);
  for (const mark of own ? [] : marks) {
    const y = scale.at(mark);
    pen.beginPath();
    pen.moveTo(LEFT, y);
    pen.lineTo(w - RIGHT, y);
    pen.stroke();
    pen.fillText(
      logarithmic ? powerOf(mark) : formatMeasure(Number(mark.toPrecision(6)), "", mark >= 10 ? 0 : 1),
      LEFT - 5,
      y + 4,
    );
  }
  pen.beginPath();
  pen.moveTo(LEFT, h - BOTTOM);
  pen.lineTo(w - RIGHT, h - BOTTOM);
  pen.stroke();
  pen.fillText(fill(words.atStep, { step: scale.last }), w - RIGHT, h - 4);
}

const SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹";
/** @param {number} power */
const powerOf = (power) => (power === 0 ? "1" : `10⁻${SUPER[Math.abs(Math.round(power))]}`);

/** @param {number} low @param {number} high @param {boolean} powers */
function ticks(low, high, powers) {
  if (powers) {
    const stride = high - low > 5 ? 2 : 1;
    return Array.from({ length: Math.floor(high) - low + 1 }, (_, i) => Math.floor(high) - i).filter(
      (mark) => -mark % stride === 0,
    );
  }
  const rough = (high - low) / 3,
    unit = 10 ** Math.floor(Math.log10(rough)),
    step = [1, 2, 5, 10].map((m) => m * unit).find((one) => one >= rough) ?? rough;
  const found = [];
  for (let mark = Math.ceil(low / step) * step; mark <= high; mark += step) found.push(mark);
  return found;
}
