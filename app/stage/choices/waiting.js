/** What a lesson waits for: the control is pointed out until it has really been used, and then the page is told. */
import { tell } from "../common/signals.js";
import { wantsCalm } from "../common/theme.js";
import { isOn } from "../layers/layer.js";
import { layersOf } from "../layers/list.js";
import { alike } from "../scene/choices.js";

/**
 * @typedef {object} Deed
 * @property {string} id               of the step that waits
 * @property {string|null} [layer]     to be turned on, with - before it: off
 * @property {"turn"|"pin"|null} [do]  the sphere, a dot
 * @property {string|null} [setting]   of the lab
 * @property {number|null} [below]
 * @property {number|null} [above]
 */

const RING = "ltv-ringed",
  /** So far a hand turns the sphere before it counts, radians. */
  TURN = 0.25;

export class Waiting {
  /** @param {import("../assembly.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {Deed|null} */
    this.deed = null;
    /** @type {Element[]} */
    this.ringed = [];
    this.pose = stage.cameras.active.goal;
    // Its boxes may have come since, with the first run.
    stage.parts.menus.layers.addEventListener("toggle", () => this.deed?.layer && this.ring(this.controls(this.deed)));
  }

  /** @param {Deed|null|undefined} deed null: nothing is waited for @param {Element[]} [controls] of the lab */
  set(deed, controls = []) {
    if (alike(deed ?? null, this.deed)) return;
    this.deed = deed ?? null;
    this.pose = this.stage.cameras.active.goal;
    this.ring(this.deed ? [...controls, ...this.controls(this.deed)] : []);
  }

  /** @param {Deed} deed @returns {Element[]} the control to be used, and on the way there the one that opens it */
  controls({ layer, do: act }) {
    const { menus, stage } = this.stage.parts;
    if (act) return [stage];
    const key = layer?.replace(/^-/, "");
    return layer ? menus.wayTo((one) => one.key === key) : [];
  }

  /** @param {Element[]} elements */
  ring(elements) {
    for (const element of this.ringed) element.classList.remove(RING);
    this.ringed = elements;
    for (const element of elements) element.classList.add(RING);
    elements[0]?.scrollIntoView({ block: "nearest", behavior: wantsCalm() ? "auto" : "smooth" });
  }

  /** A person has chosen. @param {Set<string>} changed groups of the choices */
  chosen(changed) {
    if (!this.deed) return;
    const { choices, cameras, shown } = this.stage,
      { layer, do: act } = this.deed;
    const key = layer?.replace(/^-/, "");
    const found = layer && changed.has("layers") && layersOf(shown).find((one) => one.key === key);
    const { yaw, pitch } = cameras.active.goal;
    const done =
      (found && isOn(found, choices.now.layers) !== layer.startsWith("-")) ||
      (act === "turn" && Math.hypot(yaw - this.pose.yaw, pitch - this.pose.pitch) > TURN) ||
      (act === "pin" && choices.now.pinned);
    if (done) this.finish();
    // The layers of other runs are other boxes.
    else if (layer) this.ring(this.controls(this.deed));
  }

  /** A setting of the lab was changed. @param {Record<string, any>} settings */
  settled(settings) {
    const { setting, below, above } = this.deed ?? {};
    if (!setting) return;
    const value = Number(settings[setting]);
    if (value < (below ?? Infinity) && value > (above ?? -Infinity)) this.finish();
  }

  finish() {
    const { id } = /** @type {Deed} */ (this.deed);
    this.set(null);
    tell("done", { id });
  }
}
