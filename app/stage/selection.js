/** Samples taken with the lasso: how many, of which classes, and as a file. */
import { make, setText } from "./dom.js";

/** @typedef {import("./runs.js").Run} Run */

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
      const names = info.header.class_names, guess = frame.predictions ? names[frame.predictions[i]] : "";
      lines.push([quote(run.id), frame.header.step, id, info.split[i] ? "test" : "train", quote(names[y]), quote(guess), ...run.pointAt(i, 1).map((v) => v.toFixed(5))].join());
    });
  }
  return `${lines.join("\n")}\n`;
}

/** Hands a file to the person. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const link = make("a", "", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export class SelectionBar {
  /** @param {() => void} onClear */
  constructor(onClear) {
    this.text = make("span", "");
    this.save = make("button", "ltv-plain", { type: "button" }, "Save CSV");
    this.clear = make("button", "ltv-plain", { type: "button" }, "Clear");
    this.root = make("div", "ltv-selection", { "data-testid": "ltviz-selection", hidden: "" }, this.text, this.save, this.clear);
    /** @type {{ids: Set<number>, runs: Run[]}|null} */
    this.kept = null;
    this.clear.addEventListener("click", onClear);
    this.save.addEventListener("click", () => this.kept && download(new Blob([selectionCsv(this.kept.ids, this.kept.runs)], { type: "text/csv" }), "ltviz-selection.csv"));
  }

  /** @param {Set<number>|null} ids @param {Run[]} runs */
  write(ids, runs) {
    this.kept = ids && { ids, runs };
    this.root.hidden = !ids;
    if (!ids) return;
    const info = runs.find((run) => run.info)?.info, classes = new Set();
    info?.labels.forEach((y, i) => ids.has(info.ids ? info.ids[i] : i) && classes.add(info.header.class_names[y]));
    const names = [...classes].slice(0, 4).join(", ");
    setText(this.text, `${ids.size} samples selected in every panel${names ? ` (${names}${classes.size > 4 ? ", …" : ""})` : ""}`);
  }
}
