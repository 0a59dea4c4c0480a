/** The lab's form: losses, counts, sliders and buttons. It shows the settings it is given, and says what was changed. */
import { make, setAttribute, setText } from "../common/dom.js";
import { formatMeasure, significant } from "../common/numbers.js";
import { named } from "../common/reduced.js";
import { fill } from "../words.js";
import { Bars } from "./bars.js";
import { among, choice, linear, logarithmic, slider, toggle } from "./fields.js";
import { LOSSES, OPTIONS } from "./losses/list.js";
import { BOUNDS } from "./bounds.js";
import { panelsOf, writePanel } from "./panels.js";
import { countsIn, MOST_LOSSES, settle } from "./settings.js";
import { Whose } from "./whose.js";
import { labWords as words } from "./words.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./fields.js").Field} Field */
/**
 * @typedef {object} FormActs
 * @property {(patch: Partial<Settings>) => void} change
 * @property {() => void} start
 * @property {() => void} reset
 * @property {() => void} perturb
 * @property {() => void} step
 * @property {() => void} slow
 */

const BATCHES = [0, 1024, 512, 256, 128, 64, 32, 16, 8, 4].reverse();
const SPEEDS = [1, 2, 4, 6, 10, 15, 20, 30, 45, 60, 90, 120, 200, 300, 500, 1000, 2000, 0];
const CLASSES = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 25, 30, 40, 50, 60, 80, 100];
const DIMS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128];
export const SLOW = 6;

const whole = (/** @type {number} */ n) => String(Math.round(n));
const two = (/** @type {number} */ n) => significant(n, 2);
const rounded = (/** @type {(n: number) => void} */ act) => (/** @type {number} */ n) => act(Number(n.toPrecision(3)));
/** @param {number[]} values @returns {(value: number) => number} the place among them, the zero being the last */
const speedPlace = (values) => (value) => {
  const at = value === 0 ? values.length - 1 : values.findIndex((one) => one >= value || one === 0);
  return (at < 0 ? values.length - 1 : at) / (values.length - 1);
};

export class Form {
  /** @param {FormActs} acts @param {Record<string, {colour: string}>} looks of the losses */
  constructor(acts, looks) {
    this.acts = acts;
    this.looks = looks;
    this.whose = new Whose(
      acts.change,
      looks,
      () => this.settings && this.write(this.settings, this.colours, this.slowed),
    );
    const set = (/** @type {keyof Settings} */ name) => (/** @type {any} */ value) =>
      Object.hasOwn(OPTIONS, name)
        ? this.whose.set(/** @type {keyof typeof OPTIONS} */ (name), value)
        : acts.change({ [name]: value });
    this.bars = new Bars((counts) => acts.change({ profile: "own", counts, imbalance: ratio(counts) }));
    /** @type {Record<string, Field>} */
    this.fields = this.makeFields(set);
    for (const [name, { root }] of Object.entries(this.fields)) named(root, `lab.${name}`);
    this.losses = Object.keys(LOSSES).map((id) => this.makeLoss(id));
    this.motion = make("p", "ltl-note", { "data-testid": "ltviz-motion" });
    this.slow = this.makeButton(words.slow, words.slowHint, acts.slow);
    const of = (/** @type {string[]} */ ...names) => names.map((name) => this.fields[name].root);
    this.root = make(
      "div",
      "ltl-form",
      {},
      make(
        "div",
        "ltl-buttons",
        {},
        named(this.makeButton(words.start, words.startHint, acts.start), "lab.start"),
        named(
          this.makeButton(words.newStart, words.newStartHint, () =>
            acts.change({ seed: (this.settings?.seed ?? 1) + 1 }),
          ),
          "lab.newStart",
        ),
        named(this.makeButton(words.perturb, words.perturbHint, acts.perturb), "lab.perturb"),
        named(this.makeButton(words.step, words.stepHint, acts.step), "lab.step"),
        named(this.slow, "lab.slow"),
        named(this.makeButton(words.reset, words.resetHint, acts.reset), "lab.reset"),
      ),
      section(
        words.losses,
        named(make("div", "ltl-losses", { title: words.lossesHint }, ...this.losses), "lab.losses"),
      ),
      section(words.classesHead, named(this.bars.root, "lab.counts"), ...of("imbalance", "profile", "classes")),
      section(words.sphereHead, ...of("dim", "points", "noise", "free", "together")),
      section(
        words.lossHead,
        this.whose.root,
        ...of("temperature", "average", "k", "targetWeight", "classAveraging", "complement", "tied", "negatives"),
        ...of("lengths", "tau", "decay", "decayBy", "vanish", "spread"),
      ),
      section(words.motionHead, ...of("speed", "batch", "mover", "rate"), this.motion),
    );
    /** @type {Settings|null} */
    this.settings = null;
    /** @type {string[]} */
    this.colours = [];
    this.slowed = false;
  }

  /** @param {(name: keyof Settings) => (value: any) => void} set @returns {Record<string, Field>} */
  makeFields(set) {
    const f = words.fields,
      v = words.values;
    const slide = (/** @type {keyof typeof f & keyof Settings} */ name, /** @type {any} */ scale, stops = 400) =>
      slider(f[name][0], f[name][1], scale, rounded(set(name)), stops);
    const bounds = (/** @type {keyof Settings} */ name) => /** @type {[number, number]} */ (BOUNDS[name]?.slice(0, 2));
    const speed = {
      ...among(SPEEDS, (n) => (n ? fill(words.perSecond, { n }) : words.fastest)),
      place: speedPlace(SPEEDS),
    };
    const batch = { ...among(BATCHES, (n) => (n ? whole(n) : words.fullBatch)), place: speedPlace(BATCHES) };
    const choose = (/** @type {keyof typeof f & keyof Settings} */ name, /** @type {Record<string, string>} */ given) =>
      choice(f[name][0], f[name][1], Object.entries(given), set(name));
    return {
      classes: slide("classes", among(CLASSES, whole), CLASSES.length - 1),
      dim: slide("dim", among(DIMS, whole), DIMS.length - 1),
      imbalance: slider(f.imbalance[0], f.imbalance[1], logarithmic(1, 1000, two), (n) =>
        this.acts.change({
          imbalance: Number(n.toPrecision(2)),
          ...(this.settings?.profile === "own" ? { profile: "exponential" } : {}),
        }),
      ),
      profile: choose("profile", { exponential: v.exponential, step: v.step, own: v.own }),
      temperature: slide("temperature", logarithmic(...bounds("temperature"), two)),
      average: choose("average", words.averages),
      batch: slide("batch", batch, BATCHES.length - 1),
      points: slide("points", linear(...bounds("points"), whole), 29),
      noise: slide("noise", linear(...bounds("noise"), two)),
      free: toggle(f.free[0], f.free[1], set("free")),
      together: toggle(f.together[0], f.together[1], set("together")),
      mover: choose("mover", { auto: v.auto, descent: v.descent, adam: v.adam }),
      rate: slide("rate", logarithmic(...bounds("rate"), two)),
      speed: slide("speed", speed, SPEEDS.length - 1),
      k: slide("k", linear(...bounds("k"), whole), 50),
      targetWeight: slide("targetWeight", linear(...bounds("targetWeight"), two), 100),
      classAveraging: toggle(f.classAveraging[0], f.classAveraging[1], set("classAveraging")),
      complement: toggle(f.complement[0], f.complement[1], set("complement")),
      tied: toggle(f.tied[0], f.tied[1], set("tied")),
      negatives: choose("negatives", words.negatives),
      lengths: toggle(f.lengths[0], f.lengths[1], set("lengths")),
      tau: slide("tau", linear(...bounds("tau"), two), 60),
      decay: slide("decay", logarithmic(...bounds("decay"), two)),
      decayBy: choose("decayBy", words.decays),
      vanish: toggle(f.vanish[0], f.vanish[1], set("vanish")),
      spread: slide("spread", logarithmic(...bounds("spread"), two)),
    };
  }

  /** @param {string} name @param {string} hint @param {() => void} act */
  makeButton(name, hint, act) {
    const button = make("button", "ltl-button", { type: "button", title: hint }, name);
    button.addEventListener("click", act);
    return button;
  }

  /** @param {string} id */
  makeLoss(id) {
    const [title, hint] = words.lossTitles[/** @type {keyof typeof words.lossTitles} */ (id)];
    const dot = make("i", "ltl-dot");
    dot.style.background = this.looks[id]?.colour ?? "currentColor";
    const button = make(
      "button",
      "ltl-loss",
      { type: "button", "aria-pressed": "false", title: hint, "data-loss": id },
      dot,
      make("span", "", {}, title),
    );
    button.addEventListener("click", () => {
      const now = this.settings ? panelsOf(this.settings) : [],
        has = now.some(({ loss }) => loss === id),
        next = has ? now.filter(({ loss }) => loss !== id) : [...now, { id, loss: id, own: {} }];
      if (!next.length) return;
      // In the order of the list, so that a panel has one place.
      const order = Object.keys(LOSSES);
      next.sort((a, b) => order.indexOf(a.loss) - order.indexOf(b.loss));
      this.acts.change({ losses: next.map(writePanel) });
    });
    return button;
  }

  /** @param {Settings} settings @param {string[]} colours of the classes @param {boolean} slow */
  write(settings, colours, slow) {
    this.settings = settings;
    this.colours = colours;
    this.slowed = slow;
    this.whose.write(settings);
    const shown = this.whose.shown ?? settings;
    for (const [name, field] of Object.entries(this.fields)) field.write(shown[/** @type {keyof Settings} */ (name)]);
    this.bars.write(countsIn(settings), colours);
    const full = settings.losses.length >= MOST_LOSSES,
      panels = panelsOf(settings);
    for (const button of this.losses) {
      const { loss: id = "" } = button.dataset,
        count = panels.filter(({ loss }) => loss === id).length,
        title = words.lossTitles[/** @type {keyof typeof words.lossTitles} */ (id)][0];
      setAttribute(button, "aria-pressed", String(count > 0));
      setText(/** @type {Element} */ (button.lastChild), count > 1 ? fill(words.manyTimes, { title, count }) : title);
      button.disabled = full && !count;
    }
    setAttribute(this.slow, "aria-pressed", String(slow));
    this.writeWhatMatters(settings);
  }

  /** Only what some loss of those meant knows can be set. @param {Settings} settings */
  writeWhatMatters({ losses, points, mover }) {
    const known = new Set(this.whose.meant.flatMap(({ loss }) => LOSSES[loss].options));
    for (const name of /** @type {(keyof import("./problem.js").Options)[]} */ (Object.keys(OPTIONS)))
      this.fields[name].root.hidden = !known.has(name);
    this.fields.noise.root.hidden = this.fields.free.root.hidden = points === 1;
    this.fields.rate.root.hidden = mover === "auto";
    this.fields.together.root.hidden = losses.length < 2;
  }

  /** What is done at each step. @param {Settings} settings @param {number} rate the step size of the first panel */
  writeMotion({ mover, batch, points, free, noise, rate: asked }, rate) {
    const noisy = mover === "auto" && (batch > 0 || (points > 1 && !free && noise > 0));
    const said = words.moves[noisy ? "noisy" : mover];
    this.motion.textContent = fill(said, { rate: formatRate(mover === "auto" ? rate : asked) });
  }
}

/** @param {number} rate */
const formatRate = (rate) =>
  rate >= 1e4 ? rate.toExponential(0).replace("e+", "e") : formatMeasure(significantOf(rate), "");
const significantOf = (/** @type {number} */ rate) => Number(rate.toPrecision(2));

/** @param {string} title @param {...Node} children */
const section = (title, ...children) => make("section", "ltl-section", {}, make("h3", "", {}, title), ...children);

/** @param {number[]} counts */
const ratio = (counts) => settle({ imbalance: Math.max(...counts) / Math.min(...counts) }).imbalance;
