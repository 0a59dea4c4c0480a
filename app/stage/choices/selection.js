/**
 * Samples that were selected in the picture: how many, of which classes, how the runs fare with them, and as a file.
 */
import { CONFIDENCE_SCALE, LOSS_SCALE } from "../common/messages.js";
import { make, setText } from "../common/dom.js";
import { download } from "../common/files.js";
import { angleBetween } from "../common/vectors.js";
import { isAbsent } from "../scene/attributes.js";
import { fill, words } from "../words.js";

/** @typedef {import("../incoming/runs.js").Run} Run */

const MOST_TOLD = 100000;
const MOST_NAMES = 4;

/** What the table says of a selection: key, unit, and which end is better. */
const MEASURED = /** @type {const} */ ([
  ["samples", "count", null],
  ["right", "share", "higher"],
  ["confidence", "share", null],
  ["loss", "", "lower"],
  ["angle", "degrees", "lower"],
]);

/** @returns {import("../common/types.js").Measure[]} */
export const selectionMeasures = () =>
  MEASURED.map(([key, unit, better]) => {
    const [title, short] = words.selection[key];
    return { key, title, unit, better, short };
  });

/**
 * @param {ReadonlySet<number>} ids @param {Run} run
 * @returns {Record<string, number>} by key of a measure of the selection; what is not known is absent
 */
export function selectionMetrics(ids, run) {
  const { info, frame } = run;
  if (!info || !frame) return {};
  const index = [...ids]
    .flatMap((id) => run.indexOf(id) ?? [])
    .filter((i) => i < frame.header.n && !isAbsent(frame, i));
  const {
      labels,
      header: { num_classes: count },
    } = info,
    {
      predictions,
      confidence,
      loss,
      header: { centres },
    } = frame;
  const mean = (/** @type {number[]} */ values) =>
    values.length ? values.reduce((sum, v) => sum + v, 0) / values.length : undefined;
  const found = {
    samples: index.length,
    right: predictions
      ? mean(
          index.flatMap((i) =>
            predictions[i] < count && labels[i] < count ? [Number(predictions[i] === labels[i])] : [],
          ),
        )
      : undefined,
    confidence: confidence ? mean(index.map((i) => confidence[i] / CONFIDENCE_SCALE)) : undefined,
    loss: loss ? mean(index.map((i) => loss[i] / LOSS_SCALE)) : undefined,
    angle: mean(
      index.flatMap((i) => {
        const centre = centres[labels[i]];
        return centre ? [angleBetween(run.pointAt(i, 1), centre)] : [];
      }),
    ),
  };
  return Object.fromEntries(
    Object.entries(found).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

/**
 * @param {ReadonlySet<number>} ids @param {Run[]} runs @returns {string} CSV: one line a sample and run; text is quoted
 */
export function selectionCsv(ids, runs) {
  const quote = (/** @type {unknown} */ value) => {
    const text = String(value ?? "");
    // A spreadsheet would run what begins with these as a formula.
    return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  const lines = ["run,step,sample,split,class,prediction,x,y,z"];
  for (const run of runs) {
    const { info, frame } = run;
    if (!info || !frame) continue;
    info.labels.forEach((y, i) => {
      const id = info.ids ? info.ids[i] : i;
      if (!ids.has(id) || isAbsent(frame, i)) return;
      const names = info.header.class_names,
        guess = frame.predictions ? names[frame.predictions[i]] : "";
      lines.push(
        [
          quote(run.id),
          frame.header.step,
          id,
          info.split[i] ? "test" : "train",
          quote(names[y]),
          quote(guess),
          ...run.pointAt(i, 1).map((v) => v.toFixed(5)),
        ].join(),
      );
    });
  }
  return `${lines.join("\n")}\n`;
}

/**
 * Tells the server which samples are selected, once for each selection: other programs may ask it.
 * @param {import("../scene/choices.js").Choices} choices @param {(message: {selected: number[]}) => void} send
 */
export function tellSelections(choices, send) {
  let told = choices.now.selected;
  choices.watch(() => {
    const { selected } = choices.now;
    if (selected === told) return;
    told = selected;
    send({ selected: [...(selected ?? [])].slice(0, MOST_TOLD) });
  });
}

export class SelectionBar {
  /** @param {() => void} onClear */
  constructor(onClear) {
    this.text = make("span", "");
    this.save = make("button", "ltv-plain", { type: "button" }, words.saveCsv);
    this.clear = make("button", "ltv-plain", { type: "button" }, words.clear);
    const parts = [this.text, this.save, this.clear];
    this.root = make("div", "ltv-selection", { "data-testid": "ltviz-selection", hidden: "" }, ...parts);
    /** @type {{ids: ReadonlySet<number>, runs: Run[]}|null} */
    this.kept = null;
    this.clear.addEventListener("click", onClear);
    this.save.addEventListener("click", () => this.download());
  }

  download() {
    if (!this.kept) return;
    const text = selectionCsv(this.kept.ids, this.kept.runs);
    download(new Blob([text], { type: "text/csv" }), "ltviz-selection.csv");
  }

  /** @param {ReadonlySet<number>|null} ids @param {Run[]} runs */
  write(ids, runs) {
    const same = this.kept?.ids === ids;
    this.kept = ids && { ids, runs };
    this.root.hidden = !ids;
    if (!ids || same) return;
    const info = runs.find((run) => run.info)?.info;
    /** @type {Set<string>} */
    const classes = new Set();
    info?.labels.forEach((y, i) => {
      if (ids.has(info.ids ? info.ids[i] : i)) classes.add(info.header.class_names[y] ?? words.unlabelledSample);
    });
    const names = [...classes].slice(0, MOST_NAMES).join(", ");
    const sentence =
      classes.size > MOST_NAMES
        ? words.selectedOfMany
        : classes.size > 1
          ? words.selectedOfSeveral
          : names
            ? words.selectedOf
            : words.selected;
    setText(this.text, fill(sentence, { count: ids.size, names }));
  }
}
