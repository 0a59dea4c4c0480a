/**
 * What a step of a lesson needs of the page beside its stage: the language of its text, the terms of its formula, a
 * curve to be drawn, what the picture shows for who does not see it; and what was pointed at, drawn and done goes back.
 */
import { make, setAttribute, setText } from "../common/dom.js";
import { toHex } from "../common/colours.js";
import { listen, tell } from "../common/signals.js";
import { readTheme, watchTheme } from "../common/theme.js";
import { Curve } from "../common/curve.js";
import { Terms } from "./terms.js";
import { lessonWords as words } from "./words.js";

/**
 * @typedef {object} LessonData
 * @property {string} id         of the step
 * @property {string} language   tag of the lesson's text
 * @property {boolean} rtl       it runs from right to left
 * @property {string} place      selector of the text, with its formulas
 * @property {string} own        selector of what the page says itself, in English
 * @property {import("./terms.js").Term[]} terms
 * @property {import("../common/curve.js").CurveAsk|null} curve
 * @property {{rank: number|null}|null} picked  the class that is chosen, where one is asked for
 * @property {string} told       what the picture shows
 */
/**
 * @typedef {object} Component   as Streamlit's components v2 hand it over
 * @property {LessonData} data @property {ParentNode & Node} parentElement
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

const LOOK_MS = 120,
  GRACE_MS = 1500,
  DONE_MS = 900;

class Beside {
  constructor() {
    /** @type {Component["setTriggerValue"]} */
    this.send = () => {};
    /** @type {LessonData|null} */
    this.data = null;
    this.terms = new Terms(() => document.querySelector(this.data?.place ?? "none"));
    this.curve = new Curve((knots) => this.send("drawn", { id: this.curve.ask?.id, knots }), words);
    this.told = make("p", "lle-told", { role: "status", "aria-live": "polite" });
    this.done = make("p", "lle-done", { role: "status", hidden: "" }, words.done);
    this.root = make("div", "lle-root", {});
    for (const path of ["./lesson.css", "../common/curve.css"])
      this.root.append(make("link", "", { rel: "stylesheet", href: new URL(path, import.meta.url).href }));
    this.root.append(this.terms.root, this.curve.root, this.done, this.told);
    this.ends = [
      listen("pointed", (what) => this.send("pointed", what)),
      listen("done", (what) => this.finish(what)),
      watchTheme(this.root, () => this.dress()),
    ];
    const look = setInterval(() => this.look(), LOOK_MS);
    this.ends.push(() => clearInterval(look));
  }

  /** @param {LessonData} data */
  write(data) {
    const before = this.data;
    this.data = data;
    for (const element of document.querySelectorAll(data.place)) {
      setAttribute(element, "lang", data.language);
      setAttribute(element, "dir", data.rtl ? "rtl" : "ltr");
    }
    for (const element of document.querySelectorAll(data.own)) setAttribute(element, "lang", "en");
    this.dress();
    this.curve.write(data.curve);
    if (data.picked && data.picked.rank !== before?.picked?.rank) tell("picked", data.picked);
    setText(this.told, data.told);
  }

  /** What was waited for is done: that is seen before the lesson goes on. @param {{id: string}} what */
  finish(what) {
    if (what.id !== this.data?.id) return;
    this.done.hidden = false;
    setTimeout(() => {
      this.done.hidden = true;
      // Who went on meanwhile is not taken a step further.
      if (what.id === this.data?.id) this.send("done", what);
    }, DONE_MS);
  }

  dress() {
    const theme = readTheme(this.root, null);
    for (const name of /** @type {const} */ (["page", "ink", "line"]))
      this.root.style.setProperty(`--lle-${name}`, toHex(theme[name]));
    this.terms.write(this.data?.terms ?? []);
  }

  look() {
    const panels = /** @type {any} */ (window).ltviz?.stage?.panels ?? [];
    this.curve.stand(panels[0]?.step ?? null);
  }

  detach() {
    this.terms.detach();
    this.ends.forEach((end) => end());
    this.root.remove();
  }
}

/** @type {{beside: Beside, timer: ReturnType<typeof setTimeout>|undefined, parent: Node}|null} */
let mounted = null;

/** @param {Component} component @returns {() => void} called at unmount */
export default function mount({ data, parentElement, setTriggerValue }) {
  mounted ??= { beside: new Beside(), timer: undefined, parent: parentElement };
  const here = mounted;
  clearTimeout(here.timer);
  here.parent = parentElement;
  here.beside.send = setTriggerValue;
  if (!parentElement.contains(here.beside.root)) parentElement.append(here.beside.root);
  here.beside.write(data);
  return () => {
    if (here.parent !== parentElement) return;
    clearTimeout(here.timer);
    here.timer = setTimeout(() => {
      here.beside.detach();
      if (mounted === here) mounted = null;
    }, GRACE_MS);
  };
}
