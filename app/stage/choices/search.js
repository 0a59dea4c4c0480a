/** One box that finds a class by its name or a sample by its number. */
import { alike } from "../scene/choices.js";
import { make, setText } from "../common/dom.js";
import { words } from "../words.js";

/**
 * @typedef
 * {{kind: "nothing"}|{kind: "class", rank: number}|{kind: "sample", id: number}|{kind: "unknown", text: string}} Meant
 */

/**
 * A class's name wins over a sample's number, because classes may be called 0 to 9; `#7` is always the sample.
 * @param {string} text @param {string[]} names of the classes by rank @returns {Meant}
 */
export function interpret(text, names) {
  const wanted = text.trim(),
    lower = wanted.toLowerCase();
  if (!wanted) return { kind: "nothing" };
  let rank = names.indexOf(wanted);
  if (rank < 0) rank = names.findIndex((name) => name.toLowerCase() === lower);
  if (rank >= 0) return { kind: "class", rank };
  const [, digits] = /^#?\s*(-?\d{1,10})$/.exec(wanted) ?? [];
  if (digits !== undefined) return { kind: "sample", id: Number(digits) };
  // What begins only one name needs no more letters.
  const begun = names.flatMap((name, c) => (name.toLowerCase().startsWith(lower) ? [c] : []));
  return begun.length === 1 ? { kind: "class", rank: begun[0] } : { kind: "unknown", text: wanted };
}

/** Names that a list offers at once: a browser takes seconds to open one of thousands. */
export const MOST_OFFERED = 100;

/**
 * The names to offer for what is written so far: those that begin with it before those that hold it, each in the order
 * of the classes. @param {string} text @param {string[]} names @returns {string[]} MOST_OFFERED at most
 */
export function offered(text, names) {
  const wanted = text.trim().toLowerCase(),
    lower = names.map((name) => name.toLowerCase()),
    begun = names.filter((_, c) => lower[c].startsWith(wanted)),
    within = names.filter((_, c) => lower[c].indexOf(wanted) > 0);
  return [...begun, ...within].slice(0, MOST_OFFERED);
}

export class Search {
  /** @param {(text: string) => string} onFind gives a sentence where nothing was found */
  constructor(onFind) {
    this.onFind = onFind;
    /** @type {string[]|null} all names */
    this.listed = null;
    /** @type {string[]} those that the list offers */
    this.offers = [];
    this.names = make("datalist", "", { id: `ltv-names-${crypto.getRandomValues(new Uint32Array(1))[0]}` });
    this.box = make("input", "ltv-search", {
      type: "search",
      list: this.names.id,
      placeholder: words.find,
      "aria-label": words.find,
      title: words.findHint,
      autocomplete: "off",
      spellcheck: "false",
    });
    this.answer = make("span", "ltv-answer", { role: "status", hidden: "" });
    this.root = make("form", "ltv-find", { role: "search" }, this.box, this.names, this.answer);
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
    // "input" comes with every letter: only a whole name, as chosen from the list, or an empty box is an answer
    // already.
    this.box.addEventListener("input", () => {
      this.say("");
      this.offer();
      if (!this.box.value || this.listed?.includes(this.box.value)) this.ask();
    });
    this.box.addEventListener("keydown", (event) => event.key === "Escape" && this.say(""));
    this.box.addEventListener("blur", () => this.say(""));
  }

  ask() {
    this.say(this.onFind(this.box.value));
  }

  /** @param {string} sentence */
  say(sentence) {
    this.answer.hidden = !sentence;
    setText(this.answer, sentence);
    this.box.setAttribute("aria-invalid", String(Boolean(sentence)));
  }

  /** @param {string[]} names of the classes, head first */
  setNames(names) {
    if (alike(names, this.listed)) return;
    this.listed = names;
    this.offer();
  }

  offer() {
    const offers = offered(this.box.value, this.listed ?? []);
    if (alike(offers, this.offers)) return;
    this.offers = offers;
    this.names.replaceChildren(...offers.map((name) => make("option", "", { value: name })));
  }
}
