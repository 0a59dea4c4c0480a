/**
 * What single layers can be asked for, beside the legend while they are on: parts of a force, another method's, length
 * of trails.
 */
import { toHex } from "../common/colours.js";
import { make, setAttribute, setText } from "../common/dom.js";
import { formatMeasure } from "../common/numbers.js";
import { alike } from "../scene/choices.js";
import { areFresh, isRefused, PARTS, partColour, trustIn, whatIfs } from "../scene/forces.js";
import { TRAIL_FRAMES } from "../incoming/runs.js";
import { fill, words } from "../words.js";

/** @typedef {import("../incoming/runs.js").Run} Run */

const TRAILS = [6, 12, 24, TRAIL_FRAMES];

/**
 * @param {Run[]} runs @param {string|null} [under] the what-if that is drawn beside
 * @returns {string} at which step the forces in the picture were computed and with what, or why there are none
 */
export function describeForces(runs, under = null) {
  const shown = runs.filter((run) => run.frame);
  const steps = [...new Set(shown.flatMap((run) => (run.forces ? [run.forces.step] : [])))].sort((a, b) => a - b);
  if (!shown.length) return "";
  if (!steps.length)
    return shown.some((run) => run.frame?.header.projection) && shown.every((run) => run.info?.header.dim !== 3)
      ? words.forcesHidden
      : words.forcesOff;
  // What another method's force was computed from: nobody shall take it for a race that was run.
  const imagined = trustsIn(shown, under).some((trust) => !isRefused(trust)) ? ` ${words.forcesImagined}` : "";
  const now = Math.max(...shown.map((run) => run.frame?.header.step ?? 0));
  const [first, last] = [steps[0], steps[steps.length - 1]];
  if (steps.length === 1 && last === now) return fill(words.forcesAt, { step: last }) + imagined;
  const fresh = shown.every((run) => !run.forces || areFresh(run));
  const asked = { steps: first === last ? last : fill(words.steps, { first, last }) };
  return fill(fresh ? words.forcesLast : words.forcesFaint, asked) + imagined;
}

/**
 * @param {Run[]} runs in the picture @param {string|null} under
 * @returns {import("../scene/forces.js").Trust[]} one for each run that has this what-if
 */
const trustsIn = (runs, under) =>
  under === null ? [] : runs.filter((run) => whatIfs(run).includes(under)).map((run) => trustIn(run, under, runs));

/**
 * @param {Run[]} runs in the picture @param {string|null} under the what-if that is drawn beside
 * @returns {{badge: string, hint: string}} how far it can be trusted; empty: there is none
 */
export function describeTrust(runs, under) {
  const found = trustsIn(runs, under);
  if (!found.length) return { badge: "", hint: "" };
  const known = found.flatMap(({ cosine }) => cosine ?? []);
  const [low, high] = [Math.min(...known), Math.max(...known)].map((cosine) => formatMeasure(cosine, ""));
  const cosine = low === high ? low : fill(words.range, { low, high });
  const trust = known.length ? fill(words.trust, { cosine }) : words.trustUnknown;
  const refused = found.find(isRefused);
  const steps = new Set(found.flatMap(({ step }) => step ?? []));
  const recorded = found.some((one) => one.cosine !== null && one.step === null);
  const hint = [
    words.trustHint,
    ...[...steps].map((step) => fill(words.trustHere, { step })),
    ...(recorded ? [words.trustRecorded] : []),
    ...(known.length < found.length ? [words.trustNobody] : []),
  ].join(" ");
  const badge = refused ? fill(words.trustRefused, { trust, least: formatMeasure(refused.least, "") }) : trust;
  return { badge, hint };
}

export class LayerOptions {
  /** @param {import("../drawing/picture.js").Picture} picture */
  constructor(picture) {
    this.picture = picture;
    this.choices = picture.choices;
    /** @type {[string, string][]|null} the what-ifs on offer: method and title */
    this.offered = null;
    this.chips = PARTS.map((part) => this.makeChip(part));
    this.under = make("select", "ltv-select", { "aria-label": words.forceUnder, title: words.forceUnderHint });
    this.under.addEventListener("change", () => this.setForces({ under: this.under.value || null }));
    this.trust = make("span", "ltv-quiet", { "data-testid": "ltviz-what-if-trust" });
    const scale = { type: "button", "aria-pressed": "false", title: words.forceScaleHint };
    this.alike = make("button", "ltv-chip", scale, words.forceScale);
    this.alike.addEventListener("click", () => this.setForces({ alike: !this.choices.now.forces.alike }));
    this.note = make("span", "ltv-quiet");
    this.forces = make(
      "div",
      "ltv-option",
      { role: "group", "aria-label": words.forces, "data-testid": "ltviz-forces" },
      make("span", "", {}, words.forcesTotal),
      ...this.chips.map(({ chip }) => chip),
      this.under,
      this.trust,
      this.alike,
      this.note,
    );
    this.length = make("select", "ltv-select", { "aria-label": words.trailLength });
    for (const count of TRAILS)
      this.length.append(make("option", "", { value: String(count) }, fill(words.trailFrames, { count })));
    this.length.addEventListener("change", () => this.choices.set({ trail: Number(this.length.value) }));
    this.trails = make(
      "div",
      "ltv-option",
      { role: "group", "aria-label": words.trails },
      make("span", "", {}, words.trailsLead),
      this.length,
    );
    this.root = make("div", "ltv-options", {}, this.forces, this.trails);
  }

  /** @param {import("../scene/forces.js").Part} part */
  makeChip(part) {
    const [word, sentence] = words.forceParts[part];
    const sample = make("i", "ltv-part");
    const title = fill(words.forcePart, { word, sentence });
    const chip = make("button", "ltv-chip", { type: "button", "aria-pressed": "false", title }, sample, word);
    chip.addEventListener("click", () => {
      const parts = new Set(this.choices.now.forces.parts);
      if (!parts.delete(part)) parts.add(part);
      this.setForces({ parts });
    });
    return { part, chip, sample };
  }

  /** @param {Partial<import("../scene/forces.js").ForceChoice>} patch */
  setForces(patch) {
    this.choices.set({ forces: { ...this.choices.now.forces, ...patch } });
  }

  /** @param {Run[]} runs */
  write(runs) {
    const { on } = this.picture;
    const { theme, forces, trail } = this.choices.now;
    this.forces.hidden = !on.forces;
    this.trails.hidden = !on.trails;
    if (this.length.value !== String(trail)) this.length.value = String(trail);
    if (!on.forces || !theme) return;
    const has = (/** @type {string} */ part) =>
      runs.some((run) => run.forces?.forces[run.info?.header.method ?? ""]?.[part]);
    for (const { part, chip, sample } of this.chips) {
      sample.style.background = toHex(partColour(part, theme.page));
      setAttribute(chip, "aria-pressed", String(forces.parts.has(part)));
      chip.disabled = !has(part);
    }
    this.writeUnder(runs);
    // What is said of the picture is said of those that it shows, moments kept among them.
    const { shown } = this.picture;
    const { badge, hint } = describeTrust(shown, forces.under);
    setText(this.trust, badge);
    setAttribute(this.trust, "title", hint);
    setAttribute(this.alike, "aria-pressed", String(forces.alike));
    setText(this.note, describeForces(shown, forces.under));
  }

  /** @param {Run[]} runs */
  writeUnder(runs) {
    const { under } = this.choices.now.forces;
    const names = [...new Set(runs.flatMap(whatIfs))].sort();
    // A frame without forces must not make the choice forget itself.
    if (under && !names.includes(under)) names.push(under);
    const titleOf = (/** @type {string} */ name) =>
      runs.find((run) => run.info?.header.method === name)?.info?.header.title ?? name.replaceAll("_", " ");
    const offered = names.map((name) => /** @type {[string, string]} */ ([name, titleOf(name)]));
    if (!alike(offered, this.offered)) {
      this.offered = offered;
      this.under.replaceChildren(
        make("option", "", { value: "" }, words.forceOwn),
        ...offered.map(([name, title]) => make("option", "", { value: name }, fill(words.forceAnd, { title }))),
      );
    }
    this.under.disabled = !names.length;
    if (this.under.value !== (under ?? "")) this.under.value = under ?? "";
  }
}
