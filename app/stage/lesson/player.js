/** A lesson in a file of its own: one step on one screen, a question, Play, and what the recording answers. */
import { make, setAttribute, setText } from "../common/dom.js";
import { wantsCalm } from "../common/theme.js";
import { fill } from "../words.js";
import { listen, tell } from "../common/signals.js";
import { Curve } from "../common/curve.js";
import { plays } from "./picture.js";
import { drawQuestion, drawVerdict } from "./question.js";
import { toNodes } from "./text.js";
import { Terms } from "./terms.js";
import { judge } from "./verdict.js";
import { lessonWords } from "./words.js";

/** @typedef {import("./verdict.js").LessonWords} LessonWords */
/**
 * @typedef {object} Step
 * @property {string} title
 * @property {import("./text.js").TextNode[]} text
 * @property {import("./verdict.js").Ask|null} ask
 * @property {string[]} runs               a sphere each; none where there is a lab
 * @property {string} look                 layers, colours, classes in focus and camera, as a link says them
 * @property {number|null} [step]          to hold
 * @property {[number, number]|null} [play] first and last step of what is played
 * @property {string} [geometry]           what the address of the geometry lab says, instead of runs
 * @property {import("./terms.js").Term[]} terms   of its formulas
 * @property {import("../choices/waiting.js").Deed|null} wait  what it waits for
 * @property {string} say                  what is to be done then
 * @property {[number, number, number][]|null} path  cameras to travel over
 * @property {number} seconds
 * @property {[string[], string[]]} told   the picture in words, before play and after it
 */
/** @typedef {{title: string, language: string, rtl: boolean, shapes: Record<string, string>,
 * steps: Step[]}} LessonText */
/** What a learner has said of a step, and how often play was pressed. @typedef {{said: import("./verdict.js").Said|null, turn: number}} Taken */

/** Where arrows have a meaning of their own. */
const OWN_KEYS = "input, select, textarea, canvas, [role=slider], [role=menu], [role=listbox], [role=dialog]";

export class LessonPlayer {
  /**
   * @param {LessonText} lesson @param {LessonWords} words
   * @param {{root: HTMLElement, show: (step: Step, turn: number, pointing?: boolean) => void}} picture
   */
  constructor(lesson, words, picture) {
    this.lesson = lesson;
    this.words = words;
    this.picture = picture;
    /** @type {Taken[]} */
    this.taken = lesson.steps.map(() => ({ said: null, turn: 0 }));
    /** @type {import("./verdict.js").Said|null} answered, and not yet played */
    this.given = null;
    this.at = 0;
    this.slides = false;
    /** @type {HTMLElement|null} of the step shown */
    this.heading = null;
    this.progress = make("p", "ltn-progress", { "aria-live": "polite" });
    this.ticks = make("div", "ltn-ticks", { "aria-hidden": "true" }, ...lesson.steps.map(() => make("i")));
    this.spoken = make("details", "ltn-words", {}, make("summary", "", {}, words.PICTURE));
    this.text = make("section", "ltn-text", { lang: lesson.language, dir: lesson.rtl ? "rtl" : "ltr" });
    this.terms = new Terms(() => this.text);
    this.curve = new Curve((knots) => this.answer(knots), lessonWords);
    this.skip = make("button", "ltn-plain", { type: "button" }, words.SKIP);
    this.skip.addEventListener("click", () => this.go(1));
    this.wait = make("div", "ltn-wait", { role: "status", hidden: "" });
    // In the page from the start, so that what is written into it is read out.
    this.found = make("div", "ltn-found", { role: "status" });
    this.play = make("button", "ltn-play", { type: "button", "aria-describedby": "ltn-first" });
    this.first = make("small", "ltn-first", { id: "ltn-first" }, words.PREDICT);
    this.ways = this.drawWays();
    const shown = make("div", "ltn-picture", {}, picture.root, this.spoken);
    const means = make("div", "lle-root", {}, this.terms.root, this.curve.root);
    const beside = make(
      "div",
      "ltn-beside",
      {},
      this.text,
      means,
      this.wait,
      make("p", "ltn-act", {}, this.play, this.first),
    );
    beside.append(this.found, this.ways.root);
    this.root = make("div", "ltn-root", {}, make("header", "ltn-head", {}, this.progress, this.ticks));
    this.root.append(make("div", "ltn-columns", {}, shown, beside));
    this.play.addEventListener("click", () => this.press());
    listen("pointed", ({ name }) => this.point(name));
    listen("done", ({ id }) => id === String(this.at) && this.go(1));
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => {
      this.show(this.asked());
      // Whoever stood on what is gone, or cannot be pressed yet, goes on reading at the new step.
      if (!this.root.contains(document.activeElement) || document.activeElement === this.play) this.heading?.focus();
    });
  }

  drawWays() {
    const way = (/** @type {() => void} */ act, name = "") => {
      const button = make("button", name, { type: "button" });
      button.addEventListener("click", act);
      return button;
    };
    const back = way(() => this.go(-1)),
      next = way(() => this.go(1)),
      slides = way(() => this.toggleSlides(), "ltn-plain");
    setText(back, this.words.BACK);
    setText(slides, this.words.SLIDES);
    slides.title = this.words.SLIDES_HELP;
    return { root: make("nav", "ltn-ways", {}, back, next, slides), back, next, slides };
  }

  /** @param {HTMLElement} place */
  attach(place) {
    place.replaceChildren(this.root);
    this.show(this.asked());
  }

  /** The step that the address names, from 0. */
  asked() {
    const asked = /^#(\d{1,5})$/.exec(location.hash);
    return Math.min(Math.max(Number(asked?.[1] ?? 1), 1), this.lesson.steps.length) - 1;
  }

  /** @param {number} by behind the last step comes the first */
  go(by) {
    const next = this.at + by;
    if (next < 0) return;
    location.hash = `#${next < this.lesson.steps.length ? next + 1 : 1}`;
  }

  /** @param {number} at */
  show(at) {
    const step = this.lesson.steps[at],
      { said } = this.taken[at];
    [this.at, this.given] = [at, null];
    this.heading = make("h2", "", { tabindex: "-1" }, step.title);
    this.text.replaceChildren(this.heading, ...toNodes(step.text));
    if (step.ask && !step.ask.curve)
      this.text.append(drawQuestion(step.ask, `ltn-ask-${at}`, said, (given) => this.answer(given)));
    if (this.pointing) this.text.append(make("small", "ltn-first", { lang: "en" }, this.words.POINT));
    this.terms.write(step.terms);
    this.wait.hidden = !step.wait;
    this.wait.replaceChildren(make("b", "", {}, this.words.WAITS), make("p", "", {}, step.say), this.skip);
    const { lesson, words } = this;
    setText(this.progress, fill(words.PROGRESS, { number: at + 1, count: lesson.steps.length }));
    [...this.ticks.children].forEach((tick, i) => tick.classList.toggle("ltn-done", i <= at));
    this.ways.back.disabled = at === 0;
    setText(this.ways.next, at + 1 === lesson.steps.length ? words.TO_BEGIN : words.NEXT);
    this.picture.show(step, this.taken[at].turn, this.pointing);
    this.write();
  }

  /** A class is asked for, and a hand on the sphere may answer. */
  get pointing() {
    return this.lesson.steps[this.at].ask?.kind === "class" && this.taken[this.at].said === null;
  }

  /** @param {import("./verdict.js").Said|null} given */
  answer(given) {
    this.given = given;
    const { ask } = this.lesson.steps[this.at];
    if (ask?.kind === "class") tell("picked", { rank: given === null ? null : ask.options.indexOf(String(given)) });
    this.writePlay();
  }

  /** @param {string} name of a class */
  point(name) {
    const radio = [...this.text.querySelectorAll("input")].find(({ value }) => value === name);
    if (!radio || !this.pointing) return;
    radio.checked = true;
    this.answer(name);
  }

  /** Play: what is answered counts from now on. */
  press() {
    const taken = this.taken[this.at],
      { ask } = this.lesson.steps[this.at];
    if (ask && taken.said === null) {
      if (this.given === null) return;
      taken.said = this.given;
      this.text.querySelectorAll("input").forEach((input) => (input.disabled = true));
    }
    taken.turn++;
    this.picture.show(this.lesson.steps[this.at], taken.turn);
    this.write();
    // Where one stands below the other, what is played may lie below the screen.
    this.picture.root.scrollIntoView({ block: "nearest", behavior: wantsCalm() ? "auto" : "smooth" });
  }

  /** All that follows from what was said and played. */
  write() {
    const step = this.lesson.steps[this.at],
      { said, turn } = this.taken[this.at];
    const told = step.told[turn ? 1 : 0].map((line) => make("p", "", {}, line));
    this.spoken.replaceChildren(this.spoken.children[0], ...told);
    this.found.replaceChildren();
    if (step.ask && said !== null)
      this.found.append(
        drawVerdict(step.ask, said, judge(step.ask, said, this.words, this.lesson.shapes), this.words),
        make("small", "", {}, this.score()),
      );
    this.writeCurve(step.ask, said);
    this.writePlay();
  }

  /** What is drawn, and once it was played what the recording has. @param {import("./verdict.js").Ask|null} ask
   * @param {import("./verdict.js").Said|null} said */
  writeCurve(ask, said) {
    const { curve, steps = [], numbers = [] } = ask ?? {};
    const drawn = Array.isArray(said) ? said : Array.isArray(this.given) ? this.given : null;
    const found = steps.map((step, i) => /** @type {[number, number]} */ ([step, numbers[i]]));
    this.curve.write(curve ? { ...curve, drawn, found: said === null ? null : found } : null);
  }

  writePlay() {
    const step = this.lesson.steps[this.at],
      { said, turn } = this.taken[this.at],
      waits = step.ask !== null && said === null && this.given === null;
    this.play.hidden = !plays(step);
    this.play.disabled = waits;
    this.first.hidden = !waits;
    setAttribute(this.play, "data-again", turn ? "" : null);
    setText(this.play, turn ? this.words.AGAIN : this.words.PLAY);
  }

  score() {
    const verdicts = this.taken.flatMap(({ said }, at) => {
      const { ask } = this.lesson.steps[at];
      return ask && said !== null ? [judge(ask, said, this.words, this.lesson.shapes)] : [];
    });
    const share = verdicts.reduce((sum, { score }) => sum + score, 0) / verdicts.length;
    return fill(this.words.SCORE, {
      right: verdicts.filter(({ right }) => right).length,
      asked: verdicts.length,
      share: Math.round(100 * share),
    });
  }

  toggleSlides() {
    this.slides = !this.slides;
    setAttribute(document.documentElement, "data-slides", this.slides ? "" : null);
    setText(this.ways.slides, this.slides ? this.words.NO_SLIDES : this.words.SLIDES);
    this.picture.show(this.lesson.steps[this.at], this.taken[this.at].turn);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { target, key } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target instanceof Element && target.closest(OWN_KEYS)) return;
    const by = key === "ArrowRight" || key === "PageDown" ? 1 : key === "ArrowLeft" || key === "PageUp" ? -1 : 0;
    if (!by || (key.startsWith("Page") && !this.slides)) return;
    event.preventDefault();
    this.go(by);
  }
}
