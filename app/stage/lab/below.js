/** What stands below the spheres: curves, numbers and matrices of all panels at the moment that is shown. */
import { parseCss, parseHex, readable, toHex } from "../common/colours.js";
import { make, setText } from "../common/dom.js";
import { formatMeasure } from "../common/numbers.js";
import { named } from "../common/reduced.js";
import { fill } from "../words.js";
import { comparisonOf, idealAlone } from "./comparisons.js";
import { Curves, INFORMATION } from "./curves.js";
import { cosinesOf, Matrices } from "./matrices.js";
import { Playground } from "./playground.js";
import { bestTargets, fits } from "./targets.js";
import { labWords as words } from "./words.js";

/** @typedef {import("./film.js").Film} Film */
/** @typedef {import("./settings.js").Settings} Settings */

/** Of a curve with the page. */
const LINE_CONTRAST = 2.2;

export class Below {
  /** @param {import("./theory/theories.js").Theories} theories @param {import("./phase/diagram.js").PhaseDiagram} phase
   * @param {(step: number) => void} goTo a step that was clicked */
  constructor(theories, phase, goTo) {
    this.theories = theories;
    this.phase = phase;
    this.curves = new Curves(goTo);
    this.matrices = new Matrices();
    this.playground = new Playground();
    this.ideal = { key: "", cosines: new Float32Array(0) };
    this.information = new Curves(goTo, INFORMATION);
    this.said = make("p", "ltl-note", { "data-testid": "ltviz-information" });
    this.information.root.classList.add("ltl-told");
    this.information.root.append(this.said);
    const parts = {
      curves: this.curves,
      information: this.information,
      matrices: this.matrices,
      phase: this.phase,
      targets: this.playground,
    };
    const roots = Object.entries(parts).map(([name, { root }]) => named(root, `lab.${name}`));
    this.root = make("div", "ltl-below", {}, ...roots);
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
    const shots = film.at(held ?? Infinity);
    this.theories.want(shots.map(({ theory }) => theory));
    this.theories.measureAll(film);
    this.curves.draw(film, { ...looks, colours }, held);
    const lookOf = (/** @type {string} */ id) => ({
      title: film.of.get(id)?.header?.title ?? id,
      colour: colours.get(id) ?? ink,
    });
    this.information.draw(film, { ...looks, colours }, held);
    setText(this.said, sayInformation(shots[0]?.metrics ?? {}, settings));
    this.drawSquares(shots, settings, lookOf, /** @type {[number, number, number]} */ (paper.map((v) => 255 * v)));
    this.phase.write({ page: paper, ink, line });
    this.playground.write(settings.classes, settings.dim, { ...looks, classes: classColours }, shots[0]);
  }

  /** @param {import("./race.js").Snapshot[]} shots @param {Settings} settings
   * @param {(id: string) => {title: string, colour: string}} lookOf of a panel @param {[number, number, number]} page */
  drawSquares(shots, { classes, dim }, lookOf, page) {
    const all = shots
      .filter(({ means }) => means.length === classes * dim)
      .map((shot) => comparisonOf(shot, this.theories.of(shot.theory), classes, dim, lookOf(shot.id)));
    all.push(idealAlone(this.idealCosines(classes, dim), fits(classes, dim) ? "" : fill(words.noIdeal, { dim })));
    this.matrices.draw(all, classes, page);
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
