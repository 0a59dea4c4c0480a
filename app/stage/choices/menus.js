/**
 * What stands above the spheres: finding, layers and colours, projection, camera, what a drag does, saving, full
 * screen.
 */
import { icon, make, setAttribute } from "../common/dom.js";
import { COLOUR_NAMES, LAYER_NAMES } from "./layers.js";
import { Search } from "./search.js";

/** @typedef {import("./layers.js").ColourMode} ColourMode */
/** @typedef {import("./gestures.js").Tool} Tool */
/** @typedef {(stage: import("../view.js").StageView) => Promise<void>|void} Save */

/**
 * @typedef {object} MenuActs
 * @property {() => void} onLayers
 * @property {(mode: ColourMode) => void} onColour
 * @property {(view: "home"|"top"|"front"|number) => void} onLook   a number looks along that class
 * @property {(text: string) => string} onFind        a sentence where nothing was found
 * @property {(free: boolean) => void} onFree
 * @property {(on: boolean) => void} onSpin
 * @property {(tool: Tool) => void} onTool
 * @property {() => void} onFill
 * @property {(save: Save) => void} onSave
 */

const FILL = "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  UNFILL = "M6 2.5V6H2.5M13.5 6H10V2.5M10 13.5V10h3.5M2.5 10H6v3.5";
/** @type {[Tool, string, string, string][]} what a drag does, its sign, its name, its hint */
const TOOLS = [
  ["turn", "M13.2 6.2A5.6 5.6 0 1 0 13.4 9M13.6 2.8v3.6H10", "Turn", "Drag turns the sphere"],
  [
    "lasso",
    "M8 3c3.3 0 5.5 1.5 5.5 3.6S11.2 10.2 8 10.2 2.5 8.7 2.5 6.6 4.7 3 8 3zM5 9.8c-.9 1.6.8 1.8.3 3.7",
    "Lasso",
    "Drag around samples to select them (or Shift and drag)",
  ],
  [
    "box",
    "M3 4.5V3h1.5M7 3h2M11.5 3H13v1.5M13 7v2M13 11.5V13h-1.5M9 13H7M4.5 13H3v-1.5M3 9V7",
    "Box",
    "Drag a box over samples to select them (or Alt, Shift and drag)",
  ],
];

export class Menus {
  /**
   * @param {import("../scene/picture.js").Picture} picture whose layers are changed in place
   * @param {HTMLElement} projections the View menu's own
   * @param {{name: string, hint: string, run: Save}[]} saves @param {MenuActs} acts */
  constructor({ layers, cameras, colourMode }, projections, saves, acts) {
    this.search = new Search(acts.onFind);
    this.colour = make("select", "ltv-select", { "aria-label": "Colour of the points" });
    COLOUR_NAMES.forEach(([mode, name]) => this.colour.append(make("option", "", { value: mode }, name)));
    this.colour.value = colourMode;
    this.colour.addEventListener("change", () => acts.onColour(/** @type {ColourMode} */ (this.colour.value)));
    const boxes = LAYER_NAMES.map(([key, name, hint]) =>
      check(name, hint, layers[key], (on) => {
        layers[key] = on;
        acts.onLayers();
      }),
    );
    this.along = make("select", "ltv-select ltv-wide", { "aria-label": "Look along a class" });
    this.along.addEventListener("change", () => this.along.value !== "" && acts.onLook(Number(this.along.value)));
    this.fill = button("", acts.onFill, "", "ltv-icon");
    this.tools = TOOLS.map(([tool, sign, name, hint]) => {
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
      this.search.root,
      menu(
        "Layers",
        "ltv-columns",
        make("label", "ltv-colour", {}, make("span", "", {}, "Colour"), this.colour),
        ...boxes,
      ),
      menu("View", "ltv-tall", projections),
      menu(
        "Camera",
        "",
        button("Home", () => acts.onLook("home"), "Back to where it began (Home)"),
        button("From the front", () => acts.onLook("front")),
        button("From above", () => acts.onLook("top")),
        this.along,
        make("hr", "ltv-rule"),
        check(
          "One camera for all",
          "Switched off, each panel turns by itself; keys and this menu mean the one touched last (1 to 9 choose it)",
          !cameras.free,
          (one) => acts.onFree(!one),
        ),
        check("Turn slowly", "", cameras.spinning, acts.onSpin),
      ),
      make("div", "ltv-tools", { role: "group", "aria-label": "What a drag does" }, ...this.tools),
      menu("Save", "", ...saves.map(({ name, hint, run }) => button(name, () => acts.onSave(run), hint))),
      this.fill,
    );
    this.choose("turn", null);
    this.showFilled(false);
    this.root.addEventListener("toggle", (event) => this.keepInside(event), true);
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
    this.fill.setAttribute("aria-label", filled ? "Leave full screen" : "Full screen");
    this.fill.title = `${filled ? "Leave full screen" : "Full screen"} (f)`;
  }

  /** @param {string[]} names of the classes, head first */
  setClasses(names) {
    this.search.setNames(names);
    const key = JSON.stringify(names);
    if (this.along.dataset.key === key) return;
    this.along.dataset.key = key;
    this.along.replaceChildren(
      make("option", "", { value: "" }, "Look along a class…"),
      ...names.map((name, c) => make("option", "", { value: String(c) }, name)),
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
  return make("label", "ltv-check", hint ? { title: hint } : {}, box, make("span", "", {}, name));
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
