/** What stands below the spheres: curves, numbers and matrices of all panels at the moment that is shown. */
import { parseCss, parseHex, readable, toHex } from "../common/colours.js";
import { make, setText } from "../common/dom.js";
import { formatMeasure } from "../common/numbers.js";
import { fill } from "../words.js";
import { Curves } from "./curves.js";
import { cosinesOf, Matrices } from "./matrices.js";
import { Playground } from "./playground.js";
import { bestTargets, fits } from "./targets.js";
import { labWords as words } from "./words.js";

/** @typedef {import("./film.js").Film} Film */
/** @typedef {import("./settings.js").Settings} Settings */

/** Of a curve with the page. */
const LINE_CONTRAST = 2.2;

export class Below {
  /** @param {(step: number) => void} goTo a step that was clicked */
  constructor(goTo) {
    this.curves = new Curves(goTo);
    this.matrices = new Matrices();
    this.playground = new Playground();
    /** @type {Map<string, Float32Array>} cosines that theory predicts, by panel: a place for whoever can compute them */
    this.predicted = new Map();
    this.ideal = { key: "", cosines: new Float32Array(0) };
    this.said = make("p", "ltl-information", { "data-testid": "ltviz-information" });
    this.curves.root.append(this.said);
    this.root = make("div", "ltl-below", {}, this.curves.root, this.matrices.root, this.playground.root);
  }

  /**
   * @param {Film} film @param {Settings} settings @param {number|null} held step that the stage holds
   * @param {string[]} classColours
   */
  draw(film, settings, held, classColours) {
    const style = getComputedStyle(this.root),
      ink = style.getPropertyValue("--ltv-ink").trim() || "#1c1f24",
      line = style.getPropertyValue("--ltv-line").trim() || "#d9dadd",
      paper = parseCss(style.getPropertyValue("--ltv-page")) ?? [1, 1, 1],
      quiet = `color-mix(in srgb, ${ink} 60%, ${toHex(paper)})`,
      looks = { ink, quiet, line };
    const seenOn = (/** @type {string} */ colour) => toHex(readable(parseHex(colour), paper, LINE_CONTRAST));
    const colours = new Map([...film.of].map(([id, { header }]) => [id, header ? seenOn(header.colour) : ink]));
    this.curves.draw(film, { ...looks, colours }, held);
    const shots = film.at(held ?? Infinity);
    setText(this.said, sayInformation(shots[0]?.metrics ?? {}, settings));
    this.drawSquares(film, shots, settings, /** @type {[number, number, number]} */ (paper.map((v) => 255 * v)));
    this.playground.write(settings.classes, settings.dim, { ...looks, classes: classColours }, shots[0]);
  }

  /** @param {Film} film @param {import("./race.js").Snapshot[]} shots @param {Settings} settings
   * @param {[number, number, number]} page */
  drawSquares(film, shots, { classes, dim }, page) {
    const titleOf = (/** @type {string} */ id) => film.of.get(id)?.header?.title ?? id;
    /** @type {import("./matrices.js").Square[]} */
    const squares = shots
      .filter(({ means }) => means.length === classes * dim)
      .map(({ id, means }) => ({ id, title: titleOf(id), cosines: cosinesOf(means, classes, dim) }));
    for (const [id, cosines] of this.predicted)
      if (cosines.length === classes * classes && film.of.has(id))
        squares.push({ id: `${id} predicted`, title: fill(words.predicted, { title: titleOf(id) }), cosines });
    squares.push({ id: "ideal", title: words.ideal, cosines: this.idealCosines(classes, dim) });
    this.matrices.draw(squares, classes, page, fits(classes, dim) ? "" : fill(words.noIdeal, { dim }));
  }

  /** @param {number} classes @param {number} dim */
  idealCosines(classes, dim) {
    const key = `${classes} ${dim}`;
    if (this.ideal.key !== key) this.ideal = { key, cosines: cosinesOf(bestTargets(classes, dim, 1), classes, dim) };
    return this.ideal.cosines;
  }
}

/** What the chart of information can say, and what it cannot. @param {Record<string, number>} metrics of the first panel
 * @param {Settings} settings */
function sayInformation(metrics, { points, batch }) {
  const said = words.information,
    { information_labels_ceiling: labels, information_inputs_ceiling: inputs } = metrics;
  if (!Number.isFinite(labels)) return "";
  const known = Number.isFinite(inputs),
    many = Math.round(Math.exp(inputs)),
    sentences = [said.labels, known ? said.inputs : said.noInputs];
  if (known && points === 1 && !batch) sentences.push(said.same);
  const values = { labels: formatMeasure(labels, ""), inputs: formatMeasure(inputs, ""), many };
  return fill([...sentences, said.cannot].join(" "), values);
}
