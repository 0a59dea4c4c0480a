/** What the picture shows, and the menus to choose it: layers, colours, camera, export. */
import { make } from "./dom.js";

/** @typedef {typeof LAYERS} Layers */
/** @typedef {"ramp"|"categorical"|"groups"|"split"|"correct"} ColourMode */

/** Sensible at the start: what is learned is seen, and the explanations are one click away. */
export const LAYERS = {
  points: true, train: true, test: true, grid: true, centres: true, labels: true, targets: true,
  prototypes: true, classifier: false, caps: false, trails: false, ghost: false, territory: false,
};

/** @type {[keyof Layers, string, string][]} */
const LAYER_NAMES = [
  ["points", "Points", "One disc for each sample"],
  ["train", "Training samples", "Full discs"],
  ["test", "Test samples", "Discs with a light core"],
  ["centres", "Class centres", "Rings: the mean direction of each class"],
  ["labels", "Class names", ""],
  ["targets", "Targets", "Diamonds, with an arc to the centre that is to get there"],
  ["prototypes", "Prototypes", "Squares: learned stand-ins of the classes"],
  ["classifier", "Classifier weights", "Triangles: the direction each class's weights point to"],
  ["caps", "Caps", "The cone that holds 95 % of a class"],
  ["territory", "Territory", "Borders midway between neighbouring centres; hover a centre for its share of the sphere"],
  ["trails", "Trails", "Where the centres have just been"],
  ["ghost", "Ideal configuration", "Dashed: the most balanced places for so many classes, turned onto the centres"],
  ["grid", "Grid", ""],
];

/** @type {[ColourMode, string][]} */
const COLOUR_NAMES = [
  ["ramp", "By rarity"], ["categorical", "By class"], ["groups", "Head, medium, tail"], ["split", "Training or test"], ["correct", "Right or wrong"],
];

/**
 * @typedef {object} MenuActs
 * @property {() => void} onLayers
 * @property {(mode: ColourMode) => void} onColour
 * @property {(view: "home"|"top"|"front"|number) => void} onLook   a number looks along that class
 * @property {(chosen: Set<number>|null) => void} onChoose          classes in focus
 * @property {() => void} onExport
 * @property {(on: boolean) => void} onSpin
 */

export class Menus {
  /** @param {Layers} layers changed in place @param {MenuActs} acts */
  constructor(layers, { onLayers, onColour, onLook, onChoose, onExport, onSpin }) {
    this.boxes = LAYER_NAMES.map(([key, name, hint]) => {
      const box = make("input", "", { type: "checkbox" });
      box.checked = layers[key];
      box.addEventListener("change", () => {
        layers[key] = box.checked;
        onLayers();
      });
      return make("label", "ltv-check", hint ? { title: hint } : {}, box, make("span", "", {}, name));
    });
    this.colour = make("select", "ltv-select", { "aria-label": "Colour of the points", title: "Colour of the points" });
    COLOUR_NAMES.forEach(([mode, name]) => this.colour.append(make("option", "", { value: mode }, name)));
    this.colour.addEventListener("change", () => onColour(/** @type {ColourMode} */ (this.colour.value)));
    this.find = make("select", "ltv-select", { "aria-label": "Find a class" });
    this.find.addEventListener("change", () => {
      const c = this.find.value === "" ? null : Number(this.find.value);
      onChoose(c === null ? null : new Set([c]));
      if (c !== null) onLook(c);
    });
    const button = (/** @type {string} */ name, /** @type {() => void} */ act, title = "") => {
      const b = make("button", "ltv-plain", { type: "button", title }, name);
      b.addEventListener("click", act);
      return b;
    };
    const spin = make("input", "", { type: "checkbox" });
    spin.addEventListener("change", () => onSpin(spin.checked));
    this.spin = spin;
    this.root = make("div", "ltv-menus", {},
      this.find, this.colour,
      menu("Layers", ...this.boxes),
      menu("Camera", button("Reset", () => onLook("home"), "Home"), button("From the front", () => onLook("front")), button("From above", () => onLook("top")),
        make("label", "ltv-check", {}, spin, make("span", "", {}, "Turn slowly"))),
      button("Save PNG", onExport, "The stage as it is, with titles and numbers"));
  }

  /** @param {string[]} names of the classes, head first @param {Set<number>|null} chosen */
  setClasses(names, chosen) {
    const key = JSON.stringify(names);
    if (this.find.dataset.key !== key) {
      this.find.dataset.key = key;
      this.find.replaceChildren(make("option", "", { value: "" }, "All classes"), ...names.map((name, c) => make("option", "", { value: String(c) }, name)));
    }
    const value = chosen?.size === 1 ? String([...chosen][0]) : "";
    if (this.find.value !== value) this.find.value = value;
  }

  /** Closes open menus unless the click was inside. @param {Event} event */
  closeOutside(event) {
    for (const details of this.root.querySelectorAll("details[open]"))
      if (!event.composedPath().includes(details)) details.removeAttribute("open");
  }
}

/** @param {string} name @param {...HTMLElement} items */
function menu(name, ...items) {
  const details = make("details", "ltv-menu", {}, make("summary", "ltv-plain", {}, name), make("div", "ltv-sheet", {}, ...items));
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    details.open = false;
    details.querySelector("summary")?.focus();
    event.stopPropagation();
  });
  return details;
}
