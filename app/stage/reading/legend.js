/** What colours and shapes mean, in two quiet lines. */
import { toHex } from "../common/colours.js";
import { icon, make, setText } from "../common/dom.js";
import { formatCount, formatMeasure } from "../common/numbers.js";
import { alike } from "../scene/choices.js";
import { attributeOf, categories, coloured, unknownIn } from "../scene/known.js";
import { changesWithFrame, EXTRAS, topLoss, UNLABELLED } from "../scene/attributes.js";
import { fill, words } from "../words.js";
import { GLYPHS } from "../layers/glyphs.js";
import { signsOf } from "../layers/list.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../common/colours.js").Rgb} Rgb */
/** @typedef {import("../common/types.js").Attribute} Attribute */
/**
 * @typedef {{colours: Rgb[], ends: [string, string], lines: string[]}} Scale colours of the bar, what stands at its
 * ends, the tip
 */

/** Where no colour is known. @type {Rgb} */
const NEUTRAL = [0.5, 0.5, 0.5];
const MOST_NAMES = 40;
/** Of a category in the legend. */
const MOST_LETTERS = 24;

export class Legend {
  /**
   * @param {import("./tips.js").Tips} tips
   * @param {HTMLElement} options settings of single layers
   */
  constructor(tips, options) {
    this.bar = make("span", "ltv-ramp");
    this.low = make("span", "ltv-quiet");
    this.high = make("span", "ltv-quiet");
    this.tips = tips;
    this.scale = make("span", "ltv-scale", {}, this.low, this.bar, this.high);
    this.free = make("span", "ltv-sign ltv-free", { hidden: "" });
    this.signs = make("span", "ltv-signs");
    this.categories = make("span", "ltv-signs", { hidden: "" });
    /** @type {[string, string][]} colour and text of each */
    this.categoriesShown = [];
    this.root = make(
      "div",
      "ltv-legend",
      { "aria-label": words.legend },
      this.scale,
      this.categories,
      this.free,
      this.signs,
      options,
    );
    /** What stands there now. @type {string} */
    this.gradient = "";
    /** @type {import("../layers/layer.js").Sign[]} */
    this.listed = [];
    /** @type {[string, string]|null} colour and text */
    this.freeShown = null;
    /** @type {string[]} */
    this.lines = [];
    tips.explain(this.scale, () => this.lines);
    /** @type {string[]} */
    this.freeLines = [];
    tips.explain(this.free, () => this.freeLines);
  }

  /** @param {Run[]} runs @param {import("../scene/choices.js").Chosen} chosen */
  write(runs, chosen) {
    const mode = chosen.colourMode;
    const run = runs.find((r) => r.info);
    const header = run?.info?.header;
    const { colours, ends, lines } = this.scaleOf(run, runs, mode);
    const share = (/** @type {number} */ i) => `${(100 * i) / colours.length}%`;
    const stops = colours.map((rgb, i) => `${toHex(rgb)} ${share(i)} ${share(i + 1)}`);
    const gradient = stops.length ? `linear-gradient(90deg, ${stops.join(", ")})` : "var(--ltv-line)";
    if (this.gradient !== gradient) this.bar.style.background = this.gradient = gradient;
    setText(this.low, ends[0]);
    setText(this.high, ends[1]);
    this.lines = lines;
    // Without classes there is nothing between head and tail.
    const named = coloured(mode);
    const attribute = named === null ? undefined : firstWith(runs, named);
    const classless = header && !header.num_classes && !changesWithFrame(mode) && mode !== "split" && named === null;
    this.scale.hidden = Boolean(classless || attribute?.texts);
    this.writeCategories(run, attribute);
    this.writeFree(runs, mode);
    this.writeSigns(runs, chosen);
  }

  /**
   * @param {Run|undefined} run whose classes stand for all @param {Run[]} runs
   * @param {import("../scene/choices.js").ColourMode} mode @returns {Scale}
   */
  scaleOf(run, runs, mode) {
    const extra = (/** @type {import("../scene/attributes.js").Extra} */ name) =>
      run?.extras[EXTRAS.indexOf(name)] ?? NEUTRAL;
    if (mode === "split") {
      const parts = /** @type {const} */ (["training", "test", "validation"]).slice(
        0,
        runs.some((r) => r.splits.has(2)) ? 3 : 2,
      );
      const [first, ...rest] = parts.map((part) => words[part]);
      return {
        colours: run ? parts.map(extra) : [],
        ends: [first, rest.join(", ")],
        lines: [words.splitTitle, words.splitNote],
      };
    }
    if (mode === "correct")
      return {
        colours: run ? [extra("right"), extra("wrong")] : [],
        ends: [words.right, words.wrong],
        lines: [words.correctTitle, words.correctNote],
      };
    if (mode === "confidence" || mode === "loss") return valueScale(run, runs, mode);
    const named = coloured(mode);
    if (named !== null) return attributeScale(run, named, firstWith(runs, named));
    const header = run?.info?.header;
    const counts = header?.counts ?? [];
    const last = counts.length - 1;
    const end = (/** @type {string} */ name, /** @type {number} */ c) =>
      last >= 0 ? fill(words.withCount, { name, count: formatCount(counts[c]) }) : name;
    const names = (header?.class_names ?? []).map((name, c) =>
      fill(words.readingOf, { name, value: formatCount(counts[c] ?? 0) }),
    );
    return {
      colours: run?.colours ?? [],
      ends: [end(words.head, 0), end(words.tail, last)],
      lines: [words.rampTitle, names.slice(0, MOST_NAMES).join(", "), header?.rule ?? ""],
    };
  }

  /**
   * The grey of samples without a label, wherever colours are those of classes. @param {Run[]} runs
   * @param {import("../scene/choices.js").ColourMode} mode
   */
  writeFree(runs, mode) {
    const some = runs.filter((r) => r.unlabelled);
    const most = Math.max(0, ...some.map((r) => r.unlabelled));
    const shown =
      some.length > 0 && mode !== "split" && mode !== "confidence" && mode !== "loss" && coloured(mode) === null;
    this.free.hidden = !shown;
    if (!shown) return;
    const colour = toHex(some[0].extras[UNLABELLED] ?? NEUTRAL);
    const alikeAll = runs.every((r) => !r.info || r.unlabelled === most);
    const count = alikeAll ? formatCount(most) : fill(words.upTo, { most: formatCount(most) });
    const text = fill(words.unlabelledCount, { count });
    this.freeLines = [
      words.unlabelled,
      words.unlabelledNote,
      ...(alikeAll ? [] : some.map((r) => fill(words.readingOf, { name: r.title, value: formatCount(r.unlabelled) }))),
    ];
    if (alike(this.freeShown, [colour, text])) return;
    this.freeShown = [colour, text];
    this.free.replaceChildren(icon(GLYPHS.disc.path, colour, true), text);
  }

  /** Categories by their colours, the commonest first. @param {Run|undefined} run @param {Attribute|undefined} attribute */
  writeCategories(run, attribute) {
    const colours = run?.values ?? [];
    const all = attribute?.texts ? categories(attribute) : [];
    /** @type {[string, string][]} */
    const listed = all.slice(0, colours.length).map(({ code, count }, i) => {
      const name = [...(attribute?.texts?.[code] ?? "")].slice(0, MOST_LETTERS).join("");
      return [toHex(colours[i]), fill(words.withCount, { name, count: formatCount(count) })];
    });
    const others = all.length - listed.length;
    const grey = toHex(run?.extras[EXTRAS.indexOf("unknown")] ?? NEUTRAL);
    if (listed.length && others) listed.push([grey, fill(words.otherCategories, { count: formatCount(others) })]);
    this.categories.hidden = !listed.length;
    if (alike(listed, this.categoriesShown)) return;
    this.categoriesShown = listed;
    this.categories.replaceChildren(
      ...listed.map(([colour, text]) => make("span", "ltv-sign", {}, icon(GLYPHS.disc.path, colour, true), text)),
    );
  }

  /** @param {Run[]} runs @param {import("../scene/choices.js").Chosen} chosen */
  writeSigns(runs, chosen) {
    const signs = signsOf(runs, chosen);
    if (alike(signs, this.listed)) return;
    this.listed = signs;
    this.tips.close();
    this.signs.replaceChildren(
      ...signs.map(({ word, text, path, filled, quiet }) => {
        const glyph = icon(path, "var(--ltv-quiet)", filled);
        const sign = make("span", quiet ? "ltv-sign ltv-absent" : "ltv-sign", {}, glyph, word);
        this.tips.explain(sign, () => [word.charAt(0).toUpperCase() + word.slice(1), text]);
        return sign;
      }),
    );
    // The core of a test sample is a hole.
    this.signs.querySelectorAll("path").forEach((p) => p.setAttribute("fill-rule", "evenodd"));
  }
}

/** @param {Run|undefined} run @param {Run[]} runs @param {"confidence"|"loss"} mode @returns {Scale} */
function valueScale(run, runs, mode) {
  const missing = run?.values.length && runs.some((r) => r.frame && !r.frame[mode]) ? words.noneRecorded : "";
  const colours = run?.values ?? [];
  if (mode === "confidence")
    return {
      colours,
      ends: [words.confidenceLow, words.confidenceHigh],
      lines: [words.confidenceTitle, words.confidenceNote, missing],
    };
  const info = run?.info;
  const top = formatMeasure(info ? topLoss(info) : NaN, "");
  const guess = `ln ${info?.labelSets ? 2 : info ? Math.max(2, info.header.num_classes) : ""}`;
  return {
    colours,
    ends: [words.lossLow, fill(words.lossHigh, { top })],
    lines: [words.lossTitle, fill(words.lossNote, { guess, top }), missing],
  };
}

/** The attribute of that name of the first run that has it. @param {Run[]} runs @param {string} name */
const firstWith = (runs, name) => runs.map((run) => attributeOf(run.info, name)).find(Boolean);

/** @param {Run|undefined} run @param {string} name @param {Attribute|undefined} attribute @returns {Scale} */
function attributeScale(run, name, attribute) {
  if (!attribute) return { colours: [], ends: [words.nothingKnown, ""], lines: [name] };
  const count = formatCount(attribute.values.length);
  const end = (/** @type {number} */ value) => String(Number(value.toPrecision(4)));
  return {
    colours: run?.values ?? [],
    ends: [fill(words.attributeIs, { name, value: end(attribute.low) }), end(attribute.high)],
    lines: [name, fill(words.attributeNote, { unknown: formatCount(unknownIn(attribute)), count })],
  };
}
