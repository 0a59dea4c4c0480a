/**
 * Terms of a formula that are arrows on the stage: beside the formula a chip for each, which the keyboard reaches; the
 * term under the pointer lights its arrows, and an arrow under the pointer its term. Knows no lesson: whoever shows a
 * formula with terms in their colours, as `ltviz.lessons.coloured` writes them, can put this beside it.
 */
import { parseCss, parseHex, readable, toHex } from "../common/colours.js";
import { make, setAttribute } from "../common/dom.js";
import { listen, tell } from "../common/signals.js";
import { readTheme } from "../common/theme.js";
import { partColour } from "../scene/forces.js";
import { lessonWords as words } from "./words.js";

/** @typedef {{name: keyof typeof words.termNames, colour: string, parts: import("../scene/forces.js").Part[]}} Term */

/** Of text on the page. */
const CONTRAST = 4.6;
const LIT = "ltviz-lit";

export class Terms {
  /** @param {() => Element|null} place where the formula is set, now */
  constructor(place) {
    this.place = place;
    /** @type {Term[]} */
    this.terms = [];
    this.root = make("div", "lle-terms", { role: "group", "aria-label": words.terms, hidden: "" });
    /** @type {Map<string, HTMLButtonElement>} */
    this.chips = new Map();
    /** @type {string|null} */
    this.lit = null;
    /** @type {Element|null} */
    this.watched = null;
    this.watch = new MutationObserver(() => this.dress());
    this.end = listen("lit", ({ parts, by }) => by === "stage" && this.show(this.termOf(parts)));
    this.over = (/** @type {Event} */ event) => this.enter(event);
  }

  /** @param {Term[]} terms */
  write(terms) {
    if (JSON.stringify(terms) !== JSON.stringify(this.terms)) {
      this.light(null);
      this.terms = terms;
      this.chips = new Map(terms.map((term) => [term.name, this.makeChip(term)]));
      this.root.replaceChildren(...this.chips.values());
      this.root.hidden = !terms.length;
    }
    this.dress();
  }

  /** @param {Term} term */
  makeChip({ name, parts }) {
    const dots = parts.map((part) => make("i", "lle-dot", { "data-part": part }));
    const chip = make("button", "lle-term", { type: "button", title: words.termHint }, ...dots, words.termNames[name]);
    chip.addEventListener("pointerenter", () => this.light(name));
    chip.addEventListener("pointerleave", () => this.light(null));
    chip.addEventListener("focus", () => this.light(name));
    chip.addEventListener("blur", () => this.light(null));
    return chip;
  }

  /** Finds the terms in what stands there now, and gives them colours that can be read on this page. */
  dress() {
    const place = this.place(),
      { page } = readTheme(this.root, null);
    if (place !== this.watched) {
      this.follow(null);
      this.follow(place);
    }
    this.watch.disconnect();
    for (const term of this.terms) {
      const given = toHex(parseHex(term.colour)),
        ink = toHex(readable(parseHex(term.colour), page, CONTRAST));
      for (const piece of place?.querySelectorAll(".katex-html [style*=color]") ?? []) {
        if (!(piece instanceof HTMLElement)) continue;
        const worn = parseCss(piece.style.color),
          around = piece.parentElement?.closest("[data-term]");
        if (worn && toHex(worn) === given) piece.dataset[around ? "within" : "term"] = term.name;
        if ([piece.dataset.term, piece.dataset.within].includes(term.name)) piece.style.color = ink;
      }
    }
    // Where formulas are MathML, a term is one element, and says which.
    for (const piece of place?.querySelectorAll("math [data-term]") ?? []) {
      const term = this.terms.find(({ name }) => name === /** @type {MathMLElement} */ (piece).dataset.term);
      if (term)
        /** @type {MathMLElement} */ (piece).style.color = toHex(readable(parseHex(term.colour), page, CONTRAST));
    }
    for (const chip of this.chips.values())
      for (const dot of chip.querySelectorAll("i"))
        dot.style.background = toHex(partColour(/** @type {any} */ (dot.dataset.part), page));
    if (place) this.watch.observe(place, { childList: true, subtree: true });
  }

  /** Listens to the pointer there. @param {Element|null} place */
  follow(place) {
    for (const type of ["pointermove", "pointerleave"]) {
      this.watched?.removeEventListener(type, this.over);
      place?.addEventListener(type, this.over);
    }
    this.watched = place;
  }

  /**
   * The pointer is somewhere in the text, or left it. What lies there is found by its place: KaTeX sets fractions with
   * boxes that lie above one another, and the uppermost is seldom the one that is seen. @param {Event} event
   */
  enter(event) {
    const { clientX: x, clientY: y } = /** @type {PointerEvent} */ (event);
    const under = event.type === "pointerleave" ? [] : this.pieces().filter((piece) => holds(piece, x, y));
    const found = under.sort((a, b) => areaOf(a) - areaOf(b))[0];
    this.light(found?.dataset.term ?? null);
  }

  /** Every term that stands there. @returns {(HTMLElement|MathMLElement)[]} */
  pieces() {
    return [...(this.place()?.querySelectorAll("[data-term]") ?? [])].filter(
      (one) => one instanceof HTMLElement || one instanceof MathMLElement,
    );
  }

  /** @param {string|null} name */
  light(name) {
    if (name === this.lit) return;
    this.show(name);
    tell("lit", { parts: this.terms.find((term) => term.name === name)?.parts ?? null, by: "text" });
  }

  /** @param {string[]|null} parts @returns {string|null} the term that stands for them most closely */
  termOf(parts) {
    const fit = this.terms.filter((term) => term.parts.some((part) => parts?.includes(part)));
    return fit.sort((a, b) => a.parts.length - b.parts.length)[0]?.name ?? null;
  }

  /** @param {string|null} name */
  show(name) {
    this.lit = name;
    for (const piece of this.pieces()) piece.classList.toggle(LIT, piece.dataset.term === name);
    for (const [own, chip] of this.chips) setAttribute(chip, "data-lit", own === name ? "true" : null);
  }

  /** Off the page. */
  detach() {
    this.light(null);
    this.watch.disconnect();
    this.follow(null);
    this.end();
  }
}

/** @param {Element} piece */
function areaOf(piece) {
  const { width, height } = piece.getBoundingClientRect();
  return width * height;
}

/** @param {Element} piece @param {number} x @param {number} y */
function holds(piece, x, y) {
  const box = piece.getBoundingClientRect();
  return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
}
