/** What stands around the cells of a phase diagram: title, axes and legend. */
import { labWords } from "../words.js";
import { marked, widest } from "./scales.js";

/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {import("./scales.js").Box} Box */
/** @typedef {{page: import("../../common/colours.js").Rgb, paper: string, ink: string, quiet: string, line: string}} Look */

const SVG = "http://www.w3.org/2000/svg";
/** Of all that is written. */
export const TYPE = {
  "font-family": "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
  "font-size": 11,
};
const MARGIN = { left: 62, right: 14, top: 62, bottom: 46 },
  ROW = { least: 20, most: 52, share: 0.5 },
  BAR = { w: 140, h: 9, parts: 28 },
  LEGEND = { y: 30, line: 30, gap: 20, letter: 5.9, narrow: 620 },
  TITLE = { y: 16, line: 16, narrow: 440 },
  MOST_ROWS = 9;

/** @param {string} tag @param {Record<string, string|number>} [attributes] @param {...(Node|string)} children */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

const SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹",
  LARGE = 1e6;

/** A number without digits that say nothing. @param {number} value @param {number} [digits] */
export function short(value, digits = 3) {
  if (value < LARGE) return String(Number(value.toPrecision(digits)));
  const [factor, power] = value.toExponential(1).split("e+");
  return `${factor} × 10${[...power].map((digit) => SUPER[Number(digit)]).join("")}`;
}

/** @param {number} x @param {number} y */
export const cross = (x, y) => `M${x - 4.5} ${y - 4.5}l9 9m0 -9l-9 9`;

/** Lines above the cells that a narrow picture has more of. @param {number} width of the picture */
const moreOf = (width) => (width < LEGEND.narrow ? LEGEND.line : 0) + (width < TITLE.narrow ? TITLE.line : 0);

/** Where the cells lie in a picture of this width, and how high it is. @param {number} rows @param {number} width
 * @returns {{box: Box, height: number}} */
export function roomOf(rows, width) {
  const each = Math.max(ROW.least, Math.min(ROW.most, (ROW.share * width) / rows)),
    y = MARGIN.top + moreOf(width),
    h = each * rows;
  return { box: { x: MARGIN.left, y, w: width - MARGIN.left - MARGIN.right, h }, height: y + h + MARGIN.bottom };
}

/** @param {Box} box */
const isNarrow = ({ x, w }) => x + w + MARGIN.right < TITLE.narrow;

/** @param {string[]} title of the diagram, and how it was computed @param {Look} look @param {Box} box */
export function titleOf([title, ...how], look, box) {
  const bold = draw("tspan", { "font-weight": 600, fill: look.ink }, title),
    rest = draw("tspan", isNarrow(box) ? { x: box.x, dy: TITLE.line } : { dx: 8 }, how.join(", "));
  return [draw("text", { x: box.x, y: TITLE.y, "font-size": 13 }, bold, rest)];
}

/** @param {Plane} plane @param {Look} look @param {Box} box
 * @param {ReturnType<typeof import("./scales.js").scalesOf>} scales */
export function axesOf(plane, look, box, scales) {
  const words = labWords.phase,
    below = box.y + box.h,
    middle = { "text-anchor": "middle" },
    named = { ...middle, fill: look.ink };
  return [
    ...[1, 10, 100, 1000].map((n) => draw("text", { x: scales.x(n), y: below + 16, ...middle }, short(n))),
    draw("text", { x: box.x + box.w / 2, y: below + 35, ...named }, words.imbalance),
    ...marked(scales.rows, MOST_ROWS).map((row) =>
      draw("text", { x: box.x - 7, y: scales.y(row) + 4, "text-anchor": "end" }, short(row)),
    ),
    draw("text", { transform: `translate(13 ${box.y + box.h / 2}) rotate(-90)`, ...named }, words.rows[plane.against]),
  ];
}

/** What colours and lines mean, one after another, on a new line where there is no room. @param {Plane} plane
 * @param {Look} look @param {Box} box of the cells @param {(share: number) => string} shade @returns {Element[]} */
export function legendOf(plane, look, box, shade) {
  const words = labWords.phase,
    most = widest(plane),
    sign = { stroke: look.ink, "stroke-width": 2, fill: "none" };
  let x = box.x,
    y = LEGEND.y + (isNarrow(box) ? TITLE.line : 0);
  const put = (/** @type {number} */ wide, /** @type {string} */ said, /** @type {() => Element[]} */ signs) => {
    const room = wide + 8 + LEGEND.letter * said.length;
    if (x > box.x && x + room > box.x + box.w) [x, y] = [box.x, y + LEGEND.line];
    const made = [...signs(), draw("text", { x: x + wide + 8, y: y + 9 }, said)];
    x += room + LEGEND.gap;
    return made;
  };
  const bar = () => [
    ...Array.from({ length: BAR.parts }, (_, i) =>
      draw("rect", {
        x: (x + (i * BAR.w) / BAR.parts).toFixed(2),
        y,
        width: (BAR.w / BAR.parts + 0.4).toFixed(2),
        height: BAR.h,
        fill: shade((i + 0.5) / BAR.parts),
      }),
    ),
    ...[0, 30, 60, 90]
      .filter((degrees) => degrees <= most)
      .map((degrees) =>
        draw(
          "text",
          { x: x + (degrees / most) * BAR.w, y: y + 21, "text-anchor": degrees ? "middle" : "start" },
          `${degrees}°`,
        ),
      ),
  ];
  return [
    ...put(BAR.w, words.angleLegend, bar),
    ...put(24, words.predicted, () => [draw("path", { d: `M${x} ${y + 5}h24`, ...sign, "stroke-dasharray": "6 3" })]),
    ...put(10, words.ofRuns, () => [draw("path", { d: cross(x + 5, y + 5), ...sign })]),
  ];
}
