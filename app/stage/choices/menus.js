/**
 * What stands above the spheres: finding, layers and colours, projection, camera, what a drag does, saving, full
 * screen.
 */
import { icon, make, setAttribute } from "../common/dom.js";
import { named } from "../common/reduced.js";
import { formatCount } from "../common/numbers.js";
import { isOn } from "../layers/layer.js";
import { alike, COLOUR_MODES } from "../scene/choices.js";
import { coloured, modeOf } from "../scene/known.js";
import { fill, words } from "../words.js";
import { MOST_OFFERED, Search } from "./search.js";

/** @typedef {import("../layers/layer.js").Layer} Layer */
/** @typedef {import("../scene/choices.js").Choices} Choices */
/** @typedef {import("../scene/choices.js").ColourMode} ColourMode */
/** @typedef {import("./gestures.js").Tool} Tool */
/** @typedef {(stage: import("../assembly.js").Stage) => Promise<void>|void} Save */

/**
 * @typedef {object} MenuActs
 * @property {(view: "home"|"top"|"front"|number) => void} onLook   a number looks along that class
 * @property {(text: string) => string} onFind        a sentence where nothing was found
 * @property {(free: boolean) => void} onFree
 * @property {(tool: Tool) => void} onTool
 * @property {() => void} onFill
 * @property {(save: Save) => void} onSave
 */

const FILL = "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  UNFILL = "M6 2.5V6H2.5M13.5 6H10V2.5M10 13.5V10h3.5M2.5 10H6v3.5";
/** @type {[Tool, string][]} what a drag does, its sign */
const TOOLS = [
  ["turn", "M13.2 6.2A5.6 5.6 0 1 0 13.4 9M13.6 2.8v3.6H10"],
  ["lasso", "M8 3c3.3 0 5.5 1.5 5.5 3.6S11.2 10.2 8 10.2 2.5 8.7 2.5 6.6 4.7 3 8 3zM5 9.8c-.9 1.6.8 1.8.3 3.7"],
  ["box", "M3 4.5V3h1.5M7 3h2M11.5 3H13v1.5M13 7v2M13 11.5V13h-1.5M9 13H7M4.5 13H3v-1.5M3 9V7"],
];

export class Menus {
  /**
   * @param {Choices} choices that are changed @param {HTMLElement} projections the View menu's own
   * @param {{name: string, hint: string, run: Save}[]} saves @param {MenuActs} acts
   */
  constructor(choices, projections, saves, acts) {
    this.choices = choices;
    /** @type {string[]|null} of the classes */
    this.names = null;
    this.search = new Search(acts.onFind);
    this.colour = make("select", "ltv-select", { "aria-label": words.colourOf });
    for (const mode of COLOUR_MODES) this.colour.append(make("option", "", { value: mode }, words.colourModes[mode]));
    this.known = make("optgroup", "", { label: words.attributes });
    /** @type {string[]} */
    this.attributes = [];
    this.colour.addEventListener("change", () =>
      choices.set({ colourMode: /** @type {ColourMode} */ (this.colour.value) }),
    );
    const colour = make("label", "ltv-colour", {}, make("span", "", {}, words.colour), this.colour);
    this.switches = make("div", "ltv-switches");
    this.layers = menu(words.layers, "ltv-columns", named(colour, "colour"), this.switches);
    /** @type {{layer: Layer, box: HTMLInputElement}[]} */
    this.boxes = [];
    this.fill = button("", acts.onFill, "", "ltv-icon");
    this.tools = TOOLS.map(([tool, sign]) => {
      const [name, hint] = words.tools[tool];
      const b = button("", () => this.choose(tool, acts), hint, "ltv-icon");
      b.append(icon(sign));
      b.setAttribute("aria-label", name);
      b.dataset.tool = tool;
      return b;
    });
    this.root = make(
      "div",
      "ltv-menus",
      {},
      named(this.search.root, "search"),
      named(this.layers, "layers"),
      named(menu(words.viewMenu, "ltv-tall", projections), "view"),
      named(this.makeCameraMenu(acts), "camera"),
      named(make("div", "ltv-tools", { role: "group", "aria-label": words.dragDoes }, ...this.tools), "tools"),
      named(
        menu(words.save, "", ...saves.map(({ name, hint, run }) => button(name, () => acts.onSave(run), hint))),
        "save",
      ),
      named(this.fill, "fullscreen"),
    );
    this.choose("turn", null);
    this.showFilled(false);
    this.root.addEventListener("toggle", (event) => this.keepInside(event), true);
  }

  /** @param {MenuActs} acts */
  makeCameraMenu(acts) {
    const { free, spinning } = this.choices.now;
    this.along = make("select", "ltv-select ltv-wide", { "aria-label": words.cameraAlong });
    this.along.addEventListener("change", () => this.along?.value && acts.onLook(Number(this.along.value)));
    return menu(
      words.camera,
      "",
      button(words.cameraHome, () => acts.onLook("home"), words.cameraHomeHint),
      button(words.cameraFront, () => acts.onLook("front")),
      button(words.cameraAbove, () => acts.onLook("top")),
      this.along,
      make("hr", "ltv-rule"),
      check(words.cameraShared, words.cameraSharedHint, !free, (one) => acts.onFree(!one)).label,
      check(words.cameraSpins, "", spinning, (on) => this.choices.set({ spinning: on })).label,
    );
  }

  /** A switch for each layer: those of the stage, and the marks of the methods on it. @param {Layer[]} layers */
  setLayers(layers) {
    const { layers: chosen } = this.choices.now;
    const same = layers.length === this.boxes.length && layers.every((layer, i) => layer === this.boxes[i].layer);
    if (!same) {
      const made = layers.map((layer) => {
        const set = (/** @type {boolean} */ on) =>
          this.choices.set({ layers: { ...this.choices.now.layers, [layer.key]: on } });
        const made = check(layer.title, layer.hint, layer.on, set);
        named(made.label, `layer.${layer.key}`);
        return { layer, ...made };
      });
      this.boxes = made.map(({ layer, box }) => ({ layer, box }));
      this.switches.replaceChildren(...made.map(({ label }) => label));
    }
    for (const { layer, box } of this.boxes) box.checked = isOn(layer, chosen);
  }

  /** The control of a layer, and before it what opens its menu. @param {(layer: Layer) => boolean} meant */
  wayTo(meant) {
    const box = this.boxes.find(({ layer }) => meant(layer))?.box.closest("label");
    return [this.layers.querySelector("summary"), box].filter((one) => one instanceof HTMLElement);
  }

  /** What else points may be coloured by. @param {string[]} names of the attributes */
  setAttributes(names) {
    const chosen = coloured(this.choices.now.colourMode);
    // A run that is still to come must not make the choice forget itself.
    const listed = chosen === null || names.includes(chosen) ? names : [...names, chosen];
    if (!alike(listed, this.attributes)) {
      this.attributes = listed;
      this.known.replaceChildren(...listed.map((name) => make("option", "", { value: modeOf(name) }, name)));
      if (listed.length) this.colour.append(this.known);
      else this.known.remove();
    }
    if (this.colour.value !== this.choices.now.colourMode) this.colour.value = this.choices.now.colourMode;
  }

  /** @param {Tool} tool @param {MenuActs|null} acts */
  choose(tool, acts) {
    this.tools.forEach((b) => setAttribute(b, "aria-pressed", String(b.dataset.tool === tool)));
    acts?.onTool(tool);
  }

  /** @param {boolean} filled whether the stage has the whole screen */
  showFilled(filled) {
    if (this.fill.dataset.filled === String(filled)) return;
    this.fill.dataset.filled = String(filled);
    this.fill.replaceChildren(icon(filled ? UNFILL : FILL));
    const name = filled ? words.leaveFullScreen : words.fullScreen;
    this.fill.setAttribute("aria-label", name);
    this.fill.title = fill(words.byKey, { name, key: "f" });
  }

  /** @param {string[]} names of the classes, head first */
  setClasses(names) {
    this.search.setNames(names);
    if (!this.along || alike(names, this.names)) return;
    this.names = names;
    const left = names.length - MOST_OFFERED;
    this.along.replaceChildren(
      make("option", "", { value: "" }, words.cameraAlongFirst),
      ...names.slice(0, MOST_OFFERED).map((name, c) => make("option", "", { value: String(c) }, name)),
      ...(left > 0
        ? [make("option", "", { value: "", disabled: "" }, fill(words.moreClasses, { count: formatCount(left) }))]
        : []),
    );
  }

  /** One menu at a time, and its sheet within the stage, wherever its name stands. @param {Event} event */
  keepInside(event) {
    const opened = /** @type {HTMLDetailsElement} */ (event.target),
      sheet = /** @type {HTMLElement|null} */ (opened.querySelector(".ltv-sheet"));
    if (!opened.open || !sheet) return;
    for (const other of this.root.querySelectorAll("details[open]"))
      if (other !== opened) other.removeAttribute("open");
    sheet.style.translate = "";
    const room = (this.root.parentElement ?? this.root).getBoundingClientRect(),
      own = sheet.getBoundingClientRect();
    if (own.left < room.left) sheet.style.translate = `${room.left - own.left}px`;
    else if (own.right > room.right) sheet.style.translate = `${room.right - own.right}px`;
  }

  /** Closes open menus unless the click was inside. @param {Event} event */
  closeOutside(event) {
    for (const details of this.root.querySelectorAll("details[open]"))
      if (!event.composedPath().includes(details)) details.removeAttribute("open");
  }
}

/** @param {string} name @param {() => void} act @param {string} [title] @param {string} [style] */
function button(name, act, title = "", style = "ltv-plain") {
  const b = make("button", style, title ? { type: "button", title } : { type: "button" }, name);
  b.addEventListener("click", act);
  return b;
}

/** @param {string} name @param {string} hint @param {boolean} on @param {(on: boolean) => void} act */
function check(name, hint, on, act) {
  const box = make("input", "", { type: "checkbox" });
  box.checked = on;
  box.addEventListener("change", () => act(box.checked));
  const label = make("label", "ltv-check", hint ? { title: hint } : {}, box, make("span", "", {}, name));
  return { box, label };
}

/** @param {string} name @param {string} style of its sheet @param {...HTMLElement} items */
function menu(name, style, ...items) {
  const details = make(
    "details",
    "ltv-menu",
    {},
    make("summary", "ltv-plain", {}, name),
    make("div", `ltv-sheet ${style}`, {}, ...items),
  );
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    details.open = false;
    details.querySelector("summary")?.focus();
    event.stopPropagation();
  });
  return details;
}
