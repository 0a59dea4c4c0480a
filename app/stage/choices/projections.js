/**
 * Which three dimensions of many are seen: the choices of the View menu, and the classes that some of them take.
 */
import { alike } from "../scene/choices.js";
import { make, setAttribute, setText } from "../common/dom.js";
import { formatProjection, parseProjection } from "../common/projections.js";
import { fill, NUMBERS, words } from "../words.js";

/** @typedef {import("../common/types.js").ProjectionChoice} ProjectionChoice */

export class ProjectionMenu {
  /** @param {(name: string) => void} onProjection */
  constructor(onProjection) {
    this.onProjection = onProjection;
    /** @type {ProjectionChoice[]|null} what the server offers */
    this.given = null;
    /** @type {ProjectionChoice[]} */
    this.choices = [];
    /** @type {string[]|null} of the classes, by rank */
    this.names = null;
    /** @type {number[]} classes of the corners, in the order they were chosen */
    this.corners = [];
    /** @type {ProjectionChoice|null} the one in force */
    this.spanned = null;
    this.reason = make("p", "ltv-reason", { hidden: "" });
    this.list = make("div", "ltv-choices", { role: "radiogroup", "aria-label": words.projectionMenu });
    this.hint = make("p", "ltv-reason", {});
    this.classes = make("div", "ltv-chips", { role: "group" });
    this.chosen = make("div", "ltv-corners", { hidden: "" }, this.hint, this.classes);
    this.root = make("div", "ltv-projections", {}, this.reason, this.list, this.chosen);
  }

  /** @param {ProjectionChoice[]} choices the server's, the default first */
  setChoices(choices) {
    if (alike(choices, this.given)) return;
    this.given = choices;
    // What is no projection is none to choose where one is needed.
    this.choices = choices.filter(({ name }) => name !== "none");
    const group = `ltv-projection-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    this.list.replaceChildren(
      ...this.choices.map((choice) => {
        const { name, title, short } = choice;
        const box = make("input", "", { type: "radio", name: group, value: name });
        box.addEventListener("change", () => this.onProjection(formatProjection(choice, this.corners)));
        return make(
          "label",
          "ltv-choice",
          {},
          box,
          make("span", "", {}, make("b", "", {}, title), make("span", "ltv-quiet", {}, short)),
        );
      }),
    );
  }

  /** @param {import("../incoming/runs.js").Run[]} runs @param {string|null} asked null: the default */
  write(runs, asked) {
    const known = runs.filter((run) => run.info),
      many = known.find((run) => (run.info?.header.dim ?? 0) > 3);
    const dims = [...new Set(known.map((run) => run.info?.header.dim))];
    const off = !many,
      { choices } = this,
      { base, classes } = parseProjection(asked);
    if (!choices.length) setText(this.reason, words.noProjections);
    else if (off)
      setText(this.reason, known.length ? fill(words.noProjection, { dim: dims.join(" or ") }) : words.waiting);
    else setText(this.reason, dims.some((dim) => (dim ?? 0) <= 3) ? words.someProjected : "");
    this.reason.hidden = !this.reason.textContent;
    const active = base || choices[0]?.name;
    for (const box of this.list.querySelectorAll("input")) {
      box.disabled = off;
      box.checked = !off && box.value === active;
    }
    if (classes.length) this.corners = classes;
    this.spanned = choices.find(({ name }) => name === active) ?? null;
    this.chosen.hidden = off || !this.spanned?.classes;
    if (!this.chosen.hidden) this.writeClasses(many?.info?.header.class_names ?? []);
  }

  /** @param {string[]} names by rank */
  writeClasses(names) {
    const wanted = this.spanned?.classes ?? 0;
    setAttribute(this.classes, "aria-label", this.spanned?.title ?? null);
    // Those that the server takes by itself: two of the head, two of the tail.
    if (!this.corners.length)
      this.corners = [0, 1, names.length - 2, names.length - 1].filter((c, i, all) => c >= 0 && all.indexOf(c) === i);
    if (this.corners.length > wanted) this.corners = this.corners.slice(0, wanted);
    const missing = wanted - this.corners.length;
    const count = NUMBERS[wanted] ?? String(wanted);
    setText(this.hint, fill(missing ? words.chooseClasses : words.chosenClasses, { missing, count }));
    if (!alike(names, this.names)) {
      this.names = names;
      this.classes.replaceChildren(
        ...names.map((name, c) => {
          const chip = make("button", "ltv-chip", { type: "button" }, name);
          chip.addEventListener("click", () => this.toggle(c));
          return chip;
        }),
      );
    }
    [...this.classes.children].forEach((chip, c) => {
      setAttribute(chip, "aria-pressed", String(this.corners.includes(c)));
      /** @type {HTMLButtonElement} */ (chip).disabled = !missing && !this.corners.includes(c);
    });
  }

  /** @param {number} c rank of a class; the picture changes once there are enough again */
  toggle(c) {
    this.corners = this.corners.includes(c) ? this.corners.filter((own) => own !== c) : [...this.corners, c];
    this.writeClasses([...this.classes.children].map((chip) => chip.textContent ?? ""));
    if (this.spanned && this.corners.length === this.spanned.classes)
      this.onProjection(formatProjection(this.spanned, this.corners));
  }
}
