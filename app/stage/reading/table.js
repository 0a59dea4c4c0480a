/** Every method at the shown step, side by side; what a number means is one hover away. */
import { make, setAttribute, setText } from "../common/dom.js";
import { fill, words } from "../words.js";
import { bestRows, formatCount, tellMeasure, valueOf } from "../common/numbers.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../common/types.js").Measure} Measure */

const ARROWS = { lower: "↓", higher: "↑", near: "≈" };
/** Measures that compare with a regular simplex, and need the note where none fits. */

/** @param {Measure} measure @param {Run} run */
const isReadout = (measure, run) => Boolean(measure.sphere && run.info?.header.readout);

/** All digits, and how many samples are behind them. @param {Record<string, number>} metrics @param {Measure} measure */
function exactly(metrics, measure) {
  const value = tellMeasure(metrics, measure, measure.unit === "share" ? 3 : 5);
  const judged = metrics[`${measure.key}_n`];
  return judged === undefined ? value : fill(words.judged, { value, count: formatCount(judged) });
}

export class Table {
  /**
   * @param {Measure[]} measures @param {string} name for tests @param {string} caption
   * @param {import("./tips.js").Tips} tips
   */
  constructor(measures, name, caption, tips) {
    this.measures = measures;
    this.tips = tips;
    this.note = make("p", "ltv-footnote", { hidden: "" });
    this.body = make("tbody");
    this.head = make(
      "tr",
      "",
      {},
      make("th", "", { scope: "col" }, words.method),
      make("th", "", { scope: "col" }, words.step),
    );
    for (const measure of measures) {
      const title = make("span", "ltv-term", {}, measure.title);
      if (measure.better)
        title.append(
          make("span", "ltv-arrow", { "aria-label": words[measure.better] }, `\u00a0${ARROWS[measure.better]}`),
        );
      tips.explain(title, () => [
        measure.title,
        measure.short,
        measure.better ? words[measure.better] : "",
        measure.caution ?? "",
      ]);
      this.head.append(make("th", "", { scope: "col", "data-key": measure.key }, title));
    }
    const table = make(
      "table",
      "",
      {},
      make("caption", "ltv-hidden", {}, caption),
      make("thead", "", {}, this.head),
      this.body,
    );
    this.root = make("div", "ltv-table", { "data-testid": name }, make("div", "ltv-scroll", {}, table), this.note);
    this.root.hidden = true;
  }

  /** @param {Run[]} runs @param {string} simplexNote "" where a simplex fits every run
   * @param {(run: Run) => Record<string, number>} [metricsOf] what is known of a run; else what its frame says */
  write(runs, simplexNote, metricsOf = (run) => run.frame?.header.metrics ?? {}) {
    const { body, measures } = this;
    this.root.hidden = !measures.length || !runs.length;
    while (body.rows.length > runs.length) body.deleteRow(-1);
    while (body.rows.length < runs.length) body.append(this.makeRow());
    const all = runs.map(metricsOf);
    const best = measures.map((m) =>
      bestRows(
        all.map((metrics, r) => (isReadout(m, runs[r]) ? undefined : valueOf(metrics, m))),
        m.better,
        m.unit,
      ),
    );
    const known = measures.map((m) => all.some((metrics) => valueOf(metrics, m) !== undefined));
    let readouts = false;
    runs.forEach((run, r) => {
      const cells = body.rows[r].cells,
        metrics = all[r];
      /** @type {HTMLElement} */ (cells[0].firstElementChild).style.background =
        run.info?.header.colour ?? "var(--ltv-line)";
      setText(/** @type {Element} */ (cells[0].lastElementChild), run.title);
      setText(cells[1], run.frame ? String(run.frame.header.step) : "–");
      measures.forEach((m, i) => {
        const cell = cells[i + 2],
          there = valueOf(metrics, m) !== undefined,
          readout = there && isReadout(m, run);
        readouts ||= readout;
        const signs = (there && m.simplex && !run.fitsSimplex ? " †" : "") + (readout ? " ‡" : "");
        setText(cell, tellMeasure(metrics, m) + signs);
        setAttribute(cell, "title", there ? exactly(metrics, m) : null);
        setAttribute(cell, "data-best", best[i].has(r) ? "true" : null);
        cell.hidden = !known[i];
      });
    });
    measures.forEach((_, i) => (this.head.cells[i + 2].hidden = !known[i]));
    const notes = [simplexNote && `† ${simplexNote}`, readouts && `‡ ${words.readout}`].filter(Boolean);
    this.note.hidden = !notes.length;
    setText(this.note, notes.join(" "));
  }

  makeRow() {
    const row = make(
      "tr",
      "",
      {},
      make("th", "", { scope: "row" }, make("span", "ltv-dot"), make("span", "")),
      make("td"),
    );
    this.measures.forEach(() => row.append(make("td")));
    return row;
  }
}
