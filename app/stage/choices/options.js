/** What single layers can be asked for, beside the legend while they are on: parts of a force, another method's, length of trails. */
import { toHex } from "../scene/colours.js";
import { make, setAttribute, setText } from "../common/dom.js";
import { areFresh, isRefused, PARTS, partColour, trustIn, whatIfs } from "../scene/forces.js";
import { TRAIL_FRAMES } from "../incoming/runs.js";
import { fill, FORCE_WORDS } from "../words.js";

/** @typedef {import("../incoming/runs.js").Run} Run */

const TRAILS = [6, 12, 24, TRAIL_FRAMES];

/** @param {Run[]} runs @param {string|null} [under] the what-if that is drawn beside
 * @returns {string} at which step the forces in the picture were computed and with what, or why there are none */
export function describeForces(runs, under = null) {
  const shown = runs.filter((run) => run.frame),
    steps = [...new Set(shown.flatMap((run) => (run.forces ? [run.forces.step] : [])))].sort((a, b) => a - b);
  if (!shown.length) return "";
  if (!steps.length)
    return shown.some((run) => run.frame?.header.projection) && shown.every((run) => run.info?.header.dim !== 3)
      ? "No forces here: none were recorded, or this view cannot show directions."
      : "No forces here: their recording was off when this run was trained.";
  const imagined =
    under !== null && shown.some((run) => whatIfs(run).includes(under)) ? ` ${FORCE_WORDS.standIns}` : "";
  const now = Math.max(...shown.map((run) => run.frame?.header.step ?? 0)),
    last = steps[steps.length - 1];
  const fainter = shown.every((run) => !run.forces || areFresh(run)) ? "" : "; drawn fainter since";
  const when =
    steps.length === 1 && last === now
      ? `Computed at step ${last}.`
      : `Last computed at step ${steps.length === 1 ? last : `${steps[0]} to ${last}`}${fainter}.`;
  return when + imagined;
}

/** @param {Run[]} runs @param {string|null} under the what-if that is drawn beside @returns {{badge: string, hint: string}} how far it can be trusted; empty: there is none */
export function describeTrust(runs, under) {
  const found =
    under === null ? [] : runs.filter((run) => whatIfs(run).includes(under)).map((run) => trustIn(run, under, runs));
  if (!found.length) return { badge: "", hint: "" };
  const known = found.flatMap(({ cosine }) => (cosine === null ? [] : [cosine])),
    low = Math.min(...known).toFixed(2),
    high = Math.max(...known).toFixed(2);
  const steps = new Set(found.flatMap(({ step }) => (step === null ? [] : [step]))),
    refused = found.find(isRefused);
  const hint = [
    FORCE_WORDS.trustHint,
    ...[...steps].map((step) => fill(FORCE_WORDS.here, { step })),
    found.some(({ cosine, step }) => cosine !== null && step === null) ? FORCE_WORDS.recorded : "",
    known.length < found.length ? FORCE_WORDS.nobody : "",
  ]
    .filter(Boolean)
    .join(" ");
  const badge = known.length
    ? fill(FORCE_WORDS.trust, { cosine: low === high ? low : `${low} to ${high}` })
    : FORCE_WORDS.unknown;
  return {
    badge: refused ? `${badge}. ${fill(FORCE_WORDS.refused, { least: refused.least.toFixed(2) })}` : badge,
    hint,
  };
}

export class LayerOptions {
  /** @param {import("../scene/picture.js").Picture} picture @param {() => void} changed */
  constructor(picture, changed) {
    this.picture = picture;
    this.chips = PARTS.map(([part, word, sentence]) => {
      const swatch = make("i", "ltv-swatch");
      const chip = make(
        "button",
        "ltv-chip",
        { type: "button", "aria-pressed": "false", title: `The ${word}: ${sentence}` },
        swatch,
        word,
      );
      chip.addEventListener("click", () => {
        const { parts } = picture.forces,
          next = new Set(parts);
        if (!next.delete(part)) next.add(part);
        picture.forces = { ...picture.forces, parts: next };
        changed();
      });
      return { part, chip, swatch };
    });
    this.under = make("select", "ltv-select", {
      "aria-label": "Force under another method",
      title: "The force on the same batch under another method, dashed; it is not applied",
    });
    this.under.addEventListener("change", () => {
      picture.forces = { ...picture.forces, under: this.under.value || null };
      changed();
    });
    this.trust = make("span", "ltv-quiet", { "data-testid": "ltviz-what-if-trust" });
    this.alike = make(
      "button",
      "ltv-chip",
      { type: "button", "aria-pressed": "false", title: FORCE_WORDS.scaleHint },
      FORCE_WORDS.scale,
    );
    this.alike.addEventListener("click", () => {
      picture.forces = { ...picture.forces, alike: !picture.forces.alike };
      changed();
    });
    this.note = make("span", "ltv-quiet");
    this.forces = make(
      "div",
      "ltv-option",
      { role: "group", "aria-label": "Forces", "data-testid": "ltviz-forces" },
      make("span", "", {}, "Forces: total"),
      ...this.chips.map(({ chip }) => chip),
      this.under,
      this.trust,
      this.alike,
      this.note,
    );
    this.length = make("select", "ltv-select", { "aria-label": "Length of the trails" });
    TRAILS.forEach((n) => this.length.append(make("option", "", { value: String(n) }, `last ${n} frames`)));
    this.length.value = String(picture.trail);
    this.length.addEventListener("change", () => {
      picture.trail = Number(this.length.value);
      changed();
    });
    this.trails = make(
      "div",
      "ltv-option",
      { role: "group", "aria-label": "Trails" },
      make("span", "", {}, "Trails:"),
      this.length,
    );
    this.root = make("div", "ltv-options", {}, this.forces, this.trails);
  }

  /** @param {Run[]} runs */
  write(runs) {
    const { layers, theme, forces } = this.picture;
    this.forces.hidden = !layers.forces;
    this.trails.hidden = !layers.trails;
    if (!layers.forces || !theme) return;
    const has = (/** @type {string} */ part) =>
      runs.some((run) => run.forces?.forces[run.info?.header.method ?? ""]?.[part]);
    for (const { part, chip, swatch } of this.chips) {
      swatch.style.background = toHex(partColour(part, theme.page));
      setAttribute(chip, "aria-pressed", String(forces.parts.has(part)));
      chip.disabled = !has(part);
    }
    this.writeUnder(runs);
    const { badge, hint } = describeTrust(runs, forces.under);
    setText(this.trust, badge);
    setAttribute(this.trust, "title", hint);
    setAttribute(this.alike, "aria-pressed", String(forces.alike));
    setText(this.note, describeForces(runs, forces.under));
  }

  /** @param {Run[]} runs */
  writeUnder(runs) {
    const { forces } = this.picture,
      names = [...new Set(runs.flatMap(whatIfs))].sort();
    // A frame without forces must not make the choice forget itself.
    if (forces.under && !names.includes(forces.under)) names.push(forces.under);
    const titleOf = (/** @type {string} */ name) =>
      runs.find((run) => run.info?.header.method === name)?.info?.header.title ?? name.replaceAll("_", " ");
    const key = JSON.stringify(names.map((name) => [name, titleOf(name)]));
    if (this.under.dataset.key !== key) {
      this.under.dataset.key = key;
      this.under.replaceChildren(
        make("option", "", { value: "" }, "its own alone"),
        ...names.map((name) => make("option", "", { value: name }, `and under ${titleOf(name)}`)),
      );
    }
    this.under.disabled = !names.length;
    if (this.under.value !== (forces.under ?? "")) this.under.value = forces.under ?? "";
  }
}
