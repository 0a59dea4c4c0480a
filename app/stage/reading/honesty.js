/**
 * How far a projected panel can be trusted: a badge that says "projection", and small meters with their explanations.
 */
import { make, setAttribute, setText } from "../common/dom.js";
import { formatMeasure } from "../common/numbers.js";
import { titleOf } from "../common/projections.js";
import { fill, words } from "../words.js";

/** @typedef {import("../common/types.js").ProjectionHeader} Projection */
/** @typedef {import("../common/types.js").ProjectionChoice} ProjectionChoice */
/** @typedef {"kept_angle_order"|"kept_centre_order"|"kept_variance"|"trustworthiness"|"jitter"} Quality */

/** @type {Quality[]} in the order of the meter */
const QUALITIES = ["kept_angle_order", "kept_centre_order", "kept_variance", "trustworthiness", "jitter"];

/**
 * Share of a meter that is filled, 0 to 1; jitter has no scale of its own. @param {Quality} key @param {number} value
 */
export const filledShare = (key, value) => (key === "jitter" ? null : Math.min(1, Math.max(0, value)));

/** @param {Quality} key @param {number} value */
const wording = (key, value) => (key === "jitter" ? formatMeasure(value, "") : formatMeasure(value, "share"));

export class HonestyMeter {
  /** @param {import("./tips.js").Tips} tips */
  constructor(tips) {
    /** @type {Projection|null} */
    this.projection = null;
    /** @type {ProjectionChoice[]} */
    this.choices = [];
    this.badge = make("span", "ltv-projection", {}, words.projection);
    // A small panel has no room for the meters: the badge tells all of them.
    tips.explain(this.badge, () => [
      this.projection ? titleOf(this.projection.name, this.choices) : words.projection,
      words.projectionNote,
      ...QUALITIES.flatMap((key) =>
        this.projection?.[key] === undefined
          ? []
          : [fill(words.readingOf, { name: words.honesty[key].title, value: wording(key, this.projection[key]) })],
      ),
    ]);
    this.meters = QUALITIES.map((key) => {
      const { name, title, short } = words.honesty[key];
      const value = make("b", ""),
        bar = make("i", "ltv-bar-fill");
      const meter = make(
        "span",
        "ltv-gauge",
        { "data-key": key },
        make("span", "ltv-quiet", {}, name),
        value,
        make("span", "ltv-bar-track", {}, bar),
      );
      tips.explain(meter, () => [
        fill(words.readingOf, { name: title, value: wording(key, this.projection?.[key] ?? NaN) }),
        short,
      ]);
      return { key, meter, value, bar };
    });
    this.pending = make("span", "ltv-pending", { role: "status", hidden: "" });
    this.root = make(
      "div",
      "ltv-honesty",
      { hidden: "" },
      make("div", "ltv-gauges", {}, this.badge, ...this.meters.map(({ meter }) => meter)),
    );
  }

  /**
   * @param {Projection|null} projection null: the picture is the embedding itself @param {ProjectionChoice[]} choices
   */
  write(projection, choices) {
    this.root.hidden = !projection;
    this.pending.hidden = !projection?.pending;
    this.projection = projection;
    this.choices = choices;
    if (!projection) return;
    for (const { key, meter, value, bar } of this.meters) {
      const known = projection[key];
      meter.hidden = known === undefined || known === null;
      if (meter.hidden) continue;
      const share = filledShare(key, /** @type {number} */ (known));
      setText(value, wording(key, /** @type {number} */ (known)));
      setAttribute(meter, "data-scale", share === null ? "none" : null);
      bar.style.width = `${Math.round(100 * (share ?? 0))}%`;
    }
    if (projection.pending)
      setText(
        this.pending,
        fill(words.pending, {
          asked: titleOf(projection.pending, choices),
          shown: titleOf(projection.name, choices).toLowerCase(),
        }),
      );
  }
}
