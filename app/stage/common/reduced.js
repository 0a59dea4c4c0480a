/**
 * What a link takes away: controls that it hides, and controls that it fixes, by the names that they wear. A hidden one
 * keeps its value from the link; a fixed one shows it, and cannot be moved.
 */

import { setAttribute } from "./dom.js";

/** A control of the stage has a plain name; of others the first word says whose they are: layer.caps, lab.rate, page.runs. */
const NAME = /^[a-z]{1,20}(\.[A-Za-z0-9_][A-Za-z0-9_.-]{0,64})?$/;
const MOST = 100,
  MOST_SAID = 5,
  LONGEST_SAID = 40;
/** By these a hand changes something. */
const ACTS = ["pointerdown", "mousedown", "touchstart", "click", "dblclick", "keydown", "beforeinput"];
/** Keys that only go from one control to the next. */
const PASSING = ["Tab", "Escape"];

/** Gives a control the name by which a link means it. @template {HTMLElement} T @param {T} element @param {string} name */
export function named(element, name) {
  element.dataset.control = name;
  return element;
}

/** @param {ParentNode} root @returns {HTMLElement[]} the controls in it */
export const controlsIn = (root) => /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-control]")]);

/** @param {string} search @param {string} name */
const list = (search, name) => (new URLSearchParams(search).get(name) ?? "").split(",").filter(Boolean).slice(0, MOST);

export class Reduced {
  /** @param {string} search of an address */
  constructor(search) {
    const [hide, fix] = [list(search, "hide"), list(search, "fix")];
    this.hidden = new Set(hide.filter((name) => NAME.test(name)));
    this.fixed = new Set(fix.filter((name) => NAME.test(name)));
    /** Words of the address that cannot be names. */
    this.nonsense = [...hide, ...fix].filter((name) => !NAME.test(name));
  }

  get any() {
    return this.hidden.size + this.fixed.size + this.nonsense.length > 0;
  }

  /** Whether a hand can do nothing with it. @param {string} name */
  holds(name) {
    return this.hidden.has(name) || this.fixed.has(name);
  }

  /** Takes away, and marks as fixed, what is in there by now. @param {ParentNode} root */
  dress(root) {
    for (const element of controlsIn(root)) {
      const name = element.dataset.control ?? "";
      element.toggleAttribute("data-gone", this.hidden.has(name));
      if (element.hasAttribute("data-fixed") === this.fixed.has(name)) continue;
      element.toggleAttribute("data-fixed", this.fixed.has(name));
      for (const field of [element, ...element.querySelectorAll("button,input,select")])
        if (field.matches("button,input,select"))
          setAttribute(field, "aria-disabled", this.fixed.has(name) ? "true" : null);
    }
  }

  /** Nothing that a hand does to what is fixed in there gets through; it can still be read. @param {HTMLElement} root */
  static guard(root) {
    const stop = (/** @type {Event} */ event) => {
      const path = event.composedPath().filter((one) => one instanceof HTMLElement),
        at = path.findIndex((one) => {
          const { control, fixed } = /** @type {HTMLElement} */ (one).dataset;
          // What lies on the spheres is no part of turning them.
          return fixed !== undefined && control !== "turn";
        });
      // The name of a menu opens it, whatever it holds.
      const opens = path.slice(0, Math.max(0, at)).some((one) => /** @type {HTMLElement} */ (one).matches("summary"));
      if (at < 0 || opens || PASSING.includes(/** @type {KeyboardEvent} */ (event).key)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    for (const type of ACTS) root.addEventListener(type, stop, { capture: true, passive: false });
  }

  /**
   * What of it means nothing here, for a person. @param {Iterable<string>} known names of all controls
   * @returns {string} "" where all of it does
   */
  unknown(known) {
    const there = new Set(known);
    const missing = [...this.hidden, ...this.fixed].filter((name) => !there.has(name));
    const words = [...new Set([...missing, ...this.nonsense])].map((word) => word.slice(0, LONGEST_SAID));
    return words.slice(0, MOST_SAID).join(", ") + (words.length > MOST_SAID ? ", …" : "");
  }
}

/**
 * The part of an address that takes these away. @param {string} href @param {Iterable<string>} hidden
 * @param {Iterable<string>} fixed
 */
export function reducedLink(href, hidden, fixed) {
  const url = new URL(href);
  for (const [name, words] of /** @type {[string, Iterable<string>][]} */ ([
    ["hide", hidden],
    ["fix", fixed],
  ])) {
    const text = [...words].join(",");
    if (text) url.searchParams.set(name, text);
    else url.searchParams.delete(name);
  }
  url.search = url.search.replace(/%2C/gi, ",").replace(/%40/gi, "@").replace(/%3A/gi, ":");
  return url.href;
}
