/** Arrows and the terms of a formula light one another: whichever the pointer or the focus is on. */
import { listen, tell } from "../common/signals.js";
import { alike, START } from "../scene/choices.js";
import { PARTS } from "../scene/forces.js";

/** @typedef {import("../scene/forces.js").Part} Part */

export class Lighting {
  /** @param {import("../scene/choices.js").Choices} choices */
  constructor(choices) {
    this.choices = choices;
    /** Layers as they were before a term was lit whose arrows were off, and as they were made.
     * @type {{before: Readonly<Record<string, boolean>>, made: Readonly<Record<string, boolean>>}|null} */
    this.lent = null;
  }

  /** Follows the text beside the stage: terms, and a class that was chosen there. @returns {() => void} ends it */
  listen() {
    const ends = [
      listen("lit", ({ parts, by }) => by === "text" && this.light(parts)),
      listen("picked", ({ rank }) => this.choices.set({ chosen: rank === null ? null : new Set([rank]) })),
    ];
    return () => ends.forEach((end) => end());
  }

  /** The pointer is on an arrow, or on none. @param {Part|null} part */
  point(part) {
    const lit = part === null ? null : [part];
    if (alike(lit, [...(this.choices.now.forces.lit ?? [])]) || (lit === null && !this.choices.now.forces.lit)) return;
    this.light(lit);
    tell("lit", { parts: lit, by: "stage" });
  }

  /** @param {string[]|null} names */
  light(names) {
    const { layers, forces } = this.choices.now,
      lit = names && new Set(PARTS.filter((part) => names.includes(part)));
    if (lit && !this.lent && !layers.forces) this.lent = { before: layers, made: { ...layers, forces: true } };
    // What a person switched meanwhile stays.
    const back = !lit && this.lent && alike(layers, this.lent.made) ? this.lent.before : layers;
    this.choices.set({ forces: { ...START.forces, ...forces, lit }, layers: lit && this.lent ? this.lent.made : back });
    if (!lit) this.lent = null;
  }
}
