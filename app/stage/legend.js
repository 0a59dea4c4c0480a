/** What colours and shapes mean, in one quiet line. */
import { toHex } from "./colours.js";
import { icon, make, setText } from "./dom.js";
import { formatCount } from "./numbers.js";

/** @typedef {import("./runs.js").Run} Run */

const DISC = "M8 4.2a3.8 3.8 0 1 0 .01 0z", RING = "M8 3.4a4.6 4.6 0 1 0 .01 0z", DIAMOND = "m8 3 5 5-5 5-5-5z";
const SQUARE = "M4.2 4.2h7.6v7.6H4.2z", TRIANGLE = "m8 3.4 4.8 8.4H3.2z", OPEN = "M8 4.2a3.8 3.8 0 1 0 .01 0zM8 5.6a2.4 2.4 0 1 1-.01 0z";

/** @type {[string, string, boolean, string][]} name, path, filled, layer that must be on and have something to show */
const SIGNS = [
  ["training", DISC, true, "train"], ["test", OPEN, true, "test"], ["centre", RING, false, "centres"],
  ["target", DIAMOND, true, "targets"], ["prototype", SQUARE, true, "prototypes"], ["classifier", TRIANGLE, true, "classifier"],
];

export class Legend {
  /** @param {import("./words.js").Words} words @param {import("./tips.js").Tips} tips */
  constructor(words, tips) {
    this.bar = make("span", "ltv-ramp");
    this.head = make("span", "ltv-quiet");
    this.tail = make("span", "ltv-quiet");
    this.words = words;
    this.scale = make("span", "ltv-scale", {}, this.head, this.bar, this.tail);
    this.signs = make("span", "ltv-signs");
    this.root = make("div", "ltv-legend", { "aria-label": "Legend" }, this.scale, this.signs);
    /** @type {string[]} */
    this.counts = [];
    this.rule = "";
    tips.explain(this.scale, () => ["Classes, from most to fewest training samples", this.counts.join(", "), this.rule]);
  }

  /** @param {Run[]} runs @param {import("./layers.js").Layers} layers @param {import("./layers.js").ColourMode} mode */
  write(runs, layers, mode) {
    const run = runs.find((r) => r.info), header = run?.info?.header;
    const extra = mode === "split" ? ["training", "test"] : mode === "correct" ? ["right", "wrong"] : null;
    const colours = !run ? [] : extra ? run.extras.slice(mode === "split" ? 2 : 0).slice(0, 2) : run.colours;
    const stops = colours.map((rgb, i) => `${toHex(rgb)} ${(100 * i) / colours.length}% ${(100 * (i + 1)) / colours.length}%`);
    const gradient = stops.length ? `linear-gradient(90deg, ${stops.join(", ")})` : "var(--ltv-line)";
    if (this.bar.dataset.key !== gradient) {
      this.bar.dataset.key = gradient;
      this.bar.style.background = gradient;
    }
    const counts = header?.counts ?? [], last = counts.length - 1;
    setText(this.head, extra ? extra[0] : last >= 0 ? `${this.words.head} (${formatCount(counts[0])})` : this.words.head);
    setText(this.tail, extra ? extra[1] : last >= 0 ? `${this.words.tail} (${formatCount(counts[last])})` : this.words.tail);
    this.counts = (header?.class_names ?? []).map((name, c) => `${name}: ${formatCount(counts[c] ?? 0)}`).slice(0, 40);
    this.rule = header?.rule ?? "";
    const present = new Set(runs.flatMap((r) => Object.keys(r.frame?.header.landmarks ?? {})));
    const shown = SIGNS.filter(([, , , layer]) => /** @type {Record<string, boolean>} */ (layers)[layer] && (["train", "test", "centres"].includes(layer) || present.has(layer)));
    const key = shown.map((s) => s[0]).join();
    if (this.signs.dataset.key === key) return;
    this.signs.dataset.key = key;
    this.signs.replaceChildren(...shown.map(([name, path, filled]) => make("span", "ltv-sign", {}, icon(path, "var(--ltv-quiet)", filled), name)));
    // The core of a test sample is a hole.
    this.signs.querySelectorAll("path").forEach((p) => p.setAttribute("fill-rule", "evenodd"));
  }
}
