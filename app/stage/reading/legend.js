/** What colours and shapes mean, in two quiet lines. */
import { toHex } from "../scene/colours.js";
import { icon, make, setText } from "../common/dom.js";
import { formatCount, formatMeasure } from "../common/numbers.js";
import { changesWithFrame, EXTRAS, topLoss, UNLABELLED } from "../scene/outfit.js";
import { DISC, signsOf } from "./signs.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../scene/colours.js").Rgb} Rgb */
/** @typedef {{colours: Rgb[], ends: [string, string], lines: string[]}} Scale  colours of the bar, what stands at its ends, the tip */

export class Legend {
  /** @param {import("../words.js").Words} words @param {import("./tips.js").Tips} tips @param {HTMLElement} options settings of single layers */
  constructor(words, tips, options) {
    this.bar = make("span", "ltv-ramp");
    this.low = make("span", "ltv-quiet");
    this.high = make("span", "ltv-quiet");
    this.words = words;
    this.tips = tips;
    this.scale = make("span", "ltv-scale", {}, this.low, this.bar, this.high);
    this.free = make("span", "ltv-sign ltv-free", { hidden: "" });
    this.signs = make("span", "ltv-signs");
    this.root = make("div", "ltv-legend", { "aria-label": "Legend" }, this.scale, this.free, this.signs, options);
    /** @type {string[]} */
    this.lines = [];
    tips.explain(this.scale, () => this.lines);
    /** @type {string[]} */
    this.freeLines = [];
    tips.explain(this.free, () => this.freeLines);
  }

  /** @param {Run[]} runs @param {import("../choices/layers.js").Layers} layers @param {import("../choices/layers.js").ColourMode} mode @param {boolean} alike whether the arrows of all panels have one scale */
  write(runs, layers, mode, alike) {
    const run = runs.find((r) => r.info),
      header = run?.info?.header,
      { colours, ends, lines } = this.scaleOf(run, runs, mode);
    const stops = colours.map(
      (rgb, i) => `${toHex(rgb)} ${(100 * i) / colours.length}% ${(100 * (i + 1)) / colours.length}%`,
    );
    const gradient = stops.length ? `linear-gradient(90deg, ${stops.join(", ")})` : "var(--ltv-line)";
    if (this.bar.dataset.key !== gradient) {
      this.bar.dataset.key = gradient;
      this.bar.style.background = gradient;
    }
    setText(this.low, ends[0]);
    setText(this.high, ends[1]);
    this.lines = lines;
    // Without classes there is nothing between head and tail.
    this.scale.hidden = Boolean(header && !header.num_classes && !changesWithFrame(mode) && mode !== "split");
    this.writeFree(runs, mode);
    this.writeSigns(runs, layers, alike);
  }

  /** @param {Run|undefined} run whose classes stand for all @param {Run[]} runs @param {import("../choices/layers.js").ColourMode} mode @returns {Scale} */
  scaleOf(run, runs, mode) {
    const { words } = this,
      info = run?.info,
      header = info?.header;
    const extra = (/** @type {string} */ name) =>
      run?.extras[EXTRAS.indexOf(name)] ?? /** @type {Rgb} */ ([0.5, 0.5, 0.5]);
    if (mode === "split") {
      const parts = runs.some((r) => r.splits.has(2)) ? ["training", "test", "validation"] : ["training", "test"];
      return {
        colours: run ? parts.map(extra) : [],
        ends: ["training", parts.slice(1).join(", ")],
        lines: ["Training or test", "Which part of the data a sample belongs to."],
      };
    }
    if (mode === "correct")
      return {
        colours: run ? [extra("right"), extra("wrong")] : [],
        ends: ["right", "wrong"],
        lines: [
          "Right or wrong",
          "Whether the method's own classifier names the true class; grey where it gives no answer, or the sample has no label.",
        ],
      };
    const missing =
      run?.values.length && runs.some((r) => r.frame && !r.frame[/** @type {"confidence"|"loss"} */ (mode)])
        ? "Grey: this run recorded none."
        : "";
    if (mode === "confidence")
      return {
        colours: run?.values ?? [],
        ends: ["confidence 0 %", "100 %"],
        lines: ["Confidence", "Probability that the method's own classifier gives to the class it names.", missing],
      };
    if (mode === "loss") {
      const top = info ? topLoss(info) : NaN,
        guess = info?.labelSets ? "ln 2" : `ln ${header ? Math.max(2, header.num_classes) : ""}`;
      return {
        colours: run?.values ?? [],
        ends: ["loss 0", `${formatMeasure(top, "")} or more`],
        lines: [
          "Loss",
          `Cross-entropy of the method's own classifier for the true class. The scale ends at ${guess} = ${formatMeasure(top, "")}, the loss of guessing, in every panel.`,
          missing,
        ],
      };
    }
    const counts = header?.counts ?? [],
      last = counts.length - 1,
      end = (/** @type {string} */ word, /** @type {number} */ c) =>
        last >= 0 ? `${word} (${formatCount(counts[c])})` : word;
    const names = (header?.class_names ?? []).map((name, c) => `${name}: ${formatCount(counts[c] ?? 0)}`).slice(0, 40);
    return {
      colours: run?.colours ?? [],
      ends: [end(words.head, 0), end(words.tail, last)],
      lines: ["Classes, from most to fewest training samples", names.join(", "), header?.rule ?? ""],
    };
  }

  /** The grey of samples without a label, wherever colours are those of classes.
   * @param {Run[]} runs @param {import("../choices/layers.js").ColourMode} mode */
  writeFree(runs, mode) {
    const some = runs.filter((r) => r.unlabelled),
      most = Math.max(0, ...some.map((r) => r.unlabelled));
    const shown = some.length > 0 && mode !== "split" && mode !== "confidence" && mode !== "loss";
    this.free.hidden = !shown;
    if (!shown) return;
    const colour = toHex(some[0].extras[EXTRAS.indexOf(UNLABELLED)] ?? [0.5, 0.5, 0.5]),
      alike = runs.every((r) => !r.info || r.unlabelled === most);
    const text = `${UNLABELLED} (${alike ? "" : "up to "}${formatCount(most)})`,
      key = colour + text;
    this.freeLines = [
      this.words.unlabelled,
      this.words.unlabelledNote,
      ...(alike ? [] : some.map((r) => `${r.title}: ${formatCount(r.unlabelled)}`)),
    ];
    if (this.free.dataset.key === key) return;
    this.free.dataset.key = key;
    this.free.replaceChildren(icon(DISC, colour, true), text);
  }

  /** @param {Run[]} runs @param {import("../choices/layers.js").Layers} layers @param {boolean} alike whether the arrows of all panels have one scale */
  writeSigns(runs, layers, alike) {
    const signs = signsOf(runs, layers, alike),
      key = [...signs.map(({ word }) => word), alike].join();
    if (this.signs.dataset.key === key) return;
    this.signs.dataset.key = key;
    this.tips.close();
    this.signs.replaceChildren(
      ...signs.map(({ word, text, path, filled, quiet }) => {
        const sign = make(
          "span",
          quiet ? "ltv-sign ltv-absent" : "ltv-sign",
          {},
          icon(path, "var(--ltv-quiet)", filled),
          word,
        );
        this.tips.explain(sign, () => [word[0].toUpperCase() + word.slice(1), text]);
        return sign;
      }),
    );
    // The core of a test sample is a hole.
    this.signs.querySelectorAll("path").forEach((p) => p.setAttribute("fill-rule", "evenodd"));
  }
}
