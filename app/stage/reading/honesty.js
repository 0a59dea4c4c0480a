/**
 * How far a projected panel can be trusted: a badge that says "projection", and small gauges with their explanations.
 */
import { make, setAttribute, setText } from "../common/dom.js";
import { formatMeasure } from "../common/numbers.js";
import { titleOf } from "../choices/projections.js";
import { GAUGE_WORDS, fill } from "../words.js";

/** @typedef {import("../common/types.js").Projection} Projection */
/** @typedef {import("../common/types.js").ProjectionChoice} ProjectionChoice */
/** @typedef {"kept_angle_order"|"kept_centre_order"|"kept_variance"|"trustworthiness"|"jitter"} Gauge */

/** @type {Gauge[]} in the order of the meter */
const GAUGES = ["kept_angle_order", "kept_centre_order", "kept_variance", "trustworthiness", "jitter"];

/** Share of a gauge that is filled, 0 to 1; jitter has no scale of its own. @param {Gauge} key @param {number} value */
export const filledShare = (key, value) => (key === "jitter" ? null : Math.min(1, Math.max(0, value)));

/** @param {Gauge} key @param {number} value */
const wording = (key, value) => (key === "jitter" ? formatMeasure(value, "") : formatMeasure(value, "share"));

export class HonestyMeter {
  /** @param {import("../words.js").Words} words @param {import("./tips.js").Tips} tips */
  constructor(words, tips) {
    this.words = words;
    /** @type {Projection|null} */
    this.projection = null;
    /** @type {ProjectionChoice[]} */
    this.choices = [];
    this.badge = make("span", "ltv-projection", {}, words.projection);
    // A small panel has no room for the gauges: the badge tells all of them.
    tips.explain(this.badge, () => [
      this.projection ? titleOf(this.projection.name, this.choices) : words.projection,
      words.projectionNote,
      ...GAUGES.flatMap((key) =>
        this.projection?.[key] === undefined
          ? []
          : [`${GAUGE_WORDS[key].title}: ${wording(key, this.projection[key])}`],
      ),
    ]);
    this.gauges = GAUGES.map((key) => {
      const { name, title, short } = GAUGE_WORDS[key];
      const value = make("b", ""),
        bar = make("i", "ltv-bar-fill");
      const gauge = make(
        "span",
        "ltv-gauge",
        { "data-key": key },
        make("span", "ltv-quiet", {}, name),
        value,
        make("span", "ltv-bar-track", {}, bar),
      );
      tips.explain(gauge, () => [`${title}: ${wording(key, this.projection?.[key] ?? NaN)}`, short]);
      return { key, gauge, value, bar };
    });
    this.pending = make("span", "ltv-pending", { role: "status", hidden: "" });
    this.root = make(
      "div",
      "ltv-honesty",
      { hidden: "" },
      make("div", "ltv-gauges", {}, this.badge, ...this.gauges.map(({ gauge }) => gauge)),
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
    for (const { key, gauge, value, bar } of this.gauges) {
      const known = projection[key];
      gauge.hidden = known === undefined || known === null;
      if (gauge.hidden) continue;
      const share = filledShare(key, /** @type {number} */ (known));
      setText(value, wording(key, /** @type {number} */ (known)));
      setAttribute(gauge, "data-scale", share === null ? "none" : null);
      bar.style.width = `${Math.round(100 * (share ?? 0))}%`;
    }
    if (projection.pending)
      setText(
        this.pending,
        fill(this.words.pending, {
          asked: titleOf(projection.pending, choices),
          shown: titleOf(projection.name, choices).toLowerCase(),
        }),
      );
  }
}
