/** Whose options the form sets: those of all panels, or of one of them alone, which can be had once more or taken away. */
import { make, setAttribute, setText } from "../common/dom.js";
import { coloursOf, titlesOf } from "./header.js";
import { panelsOf, settingsFor, writePanel } from "./panels.js";
import { MOST_LOSSES } from "./settings.js";
import { labWords as words } from "./words.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./panels.js").Panel} Panel */

export class Whose {
  /** @param {(patch: Partial<Settings>) => void} change @param {import("./header.js").Looks} looks of the losses
   * @param {() => void} turned another panel is meant */
  constructor(change, looks, turned) {
    this.change = change;
    this.looks = looks;
    this.turned = turned;
    /** @type {Settings|null} */
    this.settings = null;
    /** Id of the panel that is meant; null: all. @type {string|null} */
    this.id = null;
    this.row = make("div", "ltl-losses", { role: "group", "aria-label": words.whose });
    const act = (/** @type {string} */ name, /** @type {string} */ hint, /** @type {() => void} */ done) => {
      const button = make("button", "ltl-button", { type: "button", title: hint }, name);
      button.addEventListener("click", done);
      return button;
    };
    this.again = act(words.again, words.againHint, () => this.addAgain());
    this.asAll = act(words.asAll, words.asAllHint, () => this.edit((panel) => ({ ...panel, own: {} })));
    this.remove = act(words.remove, words.removeHint, () => this.edit(() => null));
    this.acts = make("div", "ltl-buttons", {}, this.again, this.asAll, this.remove);
    const name = make("span", "", { title: words.whoseHint }, words.whose);
    this.root = make("div", "ltl-whose", { "data-testid": "ltviz-whose" }, name, this.row, this.acts);
  }

  /** @returns {Panel|null} */
  get panel() {
    return (this.settings && panelsOf(this.settings).find(({ id }) => id === this.id)) ?? null;
  }

  /** What is set, as it is for whom is meant. @returns {Settings|null} */
  get shown() {
    const { panel, settings } = this;
    return panel && settings ? settingsFor(settings, panel) : settings;
  }

  /** Options that whoever is meant knows. @returns {Panel[]} */
  get meant() {
    return this.panel ? [this.panel] : this.settings ? panelsOf(this.settings) : [];
  }

  /** An option is to be something else, for whom is meant. @param {keyof import("./problem.js").Options} name
   * @param {any} value */
  set(name, value) {
    if (!this.panel) return this.change({ [name]: value });
    this.edit((panel) => ({ ...panel, own: { ...panel.own, [name]: value } }));
  }

  /** The panel that is meant becomes another, or goes. @param {(panel: Panel) => Panel|null} make */
  edit(make) {
    if (!this.settings) return;
    const next = panelsOf(this.settings).flatMap((panel) => {
      const found = panel.id === this.id ? make(panel) : panel;
      return found ? [writePanel(found)] : [];
    });
    if (next.length) this.change({ losses: next });
  }

  addAgain() {
    const { panel, settings } = this;
    if (!panel || !settings) return;
    const at = panelsOf(settings).findLastIndex(({ loss }) => loss === panel.loss),
      many = panelsOf(settings).filter(({ loss }) => loss === panel.loss).length;
    // It stands beside its likes, and is what is set next.
    this.id = `${panel.loss}-${many + 1}`;
    this.change({ losses: settings.losses.toSpliced(at + 1, 0, writePanel(panel)) });
  }

  /** @param {Settings} settings */
  write(settings) {
    this.settings = settings;
    const titles = titlesOf(settings),
      colours = coloursOf(settings, this.looks);
    if (this.id !== null && !titles.has(this.id)) this.id = null;
    const chips = /** @type {[string|null, string][]} */ ([[null, words.all], ...titles]);
    while (this.row.children.length > chips.length) this.row.lastChild?.remove();
    while (this.row.children.length < chips.length) this.row.append(this.makeChip());
    chips.forEach(([id, title], i) => {
      const chip = /** @type {HTMLElement} */ (this.row.children[i]),
        [dot, name] = /** @type {HTMLCollectionOf<HTMLElement>} */ (chip.children);
      setAttribute(chip, "data-panel", id ?? "");
      setAttribute(chip, "aria-pressed", String(id === this.id));
      dot.hidden = id === null;
      dot.style.background = colours.get(id ?? "") ?? "";
      setText(name, title);
    });
    const { panel } = this;
    this.acts.hidden = !panel;
    this.again.disabled = settings.losses.length >= MOST_LOSSES;
    this.asAll.disabled = !panel || !Object.keys(panel.own).length;
    this.remove.disabled = settings.losses.length < 2;
  }

  makeChip() {
    const chip = make(
      "button",
      "ltl-loss",
      { type: "button", "aria-pressed": "false" },
      make("i", "ltl-dot"),
      make("span"),
    );
    chip.addEventListener("click", () => {
      this.id = chip.dataset.panel || null;
      this.turned();
    });
    return chip;
  }
}
