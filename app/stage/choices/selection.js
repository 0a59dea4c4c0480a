/**
 * Samples that were selected in the picture: how many, of which classes, how the runs fare with them, and as a file.
 */
import { make, setText } from "../common/dom.js";
import { download } from "../saving/files.js";
import { LOSS_UNIT, UNLABELLED } from "../scene/outfit.js";
import { angleBetween } from "../common/vectors.js";

/** @typedef {import("../incoming/runs.js").Run} Run */

/** @type {import("../common/types.js").Measure[]} what the table says of a selection */
export const SELECTION_MEASURES = [
  {
    key: "samples",
    title: "Selected",
    unit: "count",
    better: null,
    short: "Selected samples that this run's probe holds.",
  },
  {
    key: "right",
    title: "Recognised",
    unit: "share",
    better: "higher",
    short: "Share of the selected samples that the method's own classifier gives their class.",
  },
  {
    key: "confidence",
    title: "Confidence",
    unit: "share",
    better: null,
    short: "Mean probability that the classifier gives to the class it predicts.",
  },
  {
    key: "loss",
    title: "Loss",
    unit: "",
    better: "lower",
    short: "Mean loss of the method's own classifier for the true class.",
  },
  {
    key: "angle",
    title: "To own centre",
    unit: "degrees",
    better: "lower",
    short: "Mean angle between a selected sample and the centre of its class, as the picture shows them.",
  },
];

/**
 * @param {Set<number>} ids @param {Run} run
 * @returns {Record<string, number>} by key of SELECTION_MEASURES; what is not known is absent
 */
export function selectionMetrics(ids, run) {
  const { info, frame } = run;
  if (!info || !frame) return {};
  const index = [...ids].flatMap((id) => run.indexOf(id) ?? []).filter((i) => i < frame.header.n);
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
    confidence: confidence ? mean(index.map((i) => confidence[i] / 255)) : undefined,
    loss: loss ? mean(index.map((i) => loss[i] / LOSS_UNIT)) : undefined,
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

/** @param {Set<number>} ids @param {Run[]} runs @returns {string} CSV: one line a sample and run; text is quoted */
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
      if (!ids.has(id)) return;
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

export class SelectionBar {
  /** @param {() => void} onClear */
  constructor(onClear) {
    this.text = make("span", "");
    this.save = make("button", "ltv-plain", { type: "button" }, "Save CSV");
    this.clear = make("button", "ltv-plain", { type: "button" }, "Clear");
    this.root = make(
      "div",
      "ltv-selection",
      { "data-testid": "ltviz-selection", hidden: "" },
      this.text,
      this.save,
      this.clear,
    );
    /** @type {{ids: Set<number>, runs: Run[]}|null} */
    this.kept = null;
    this.clear.addEventListener("click", onClear);
    this.save.addEventListener(
      "click",
      () =>
        this.kept &&
        download(new Blob([selectionCsv(this.kept.ids, this.kept.runs)], { type: "text/csv" }), "ltviz-selection.csv"),
    );
  }

  /** @param {Set<number>|null} ids @param {Run[]} runs */
  write(ids, runs) {
    this.kept = ids && { ids, runs };
    this.root.hidden = !ids;
    if (!ids) return;
    const info = runs.find((run) => run.info)?.info,
      classes = new Set();
    info?.labels.forEach(
      (y, i) => ids.has(info.ids ? info.ids[i] : i) && classes.add(info.header.class_names[y] ?? UNLABELLED),
    );
    const names = [...classes].slice(0, 4).join(", ");
    setText(
      this.text,
      `${ids.size} samples selected in every panel${names ? `, of ${classes.size > 1 ? "classes" : "class"} ${names}${classes.size > 4 ? ", …" : ""}` : ""}`,
    );
  }
}
