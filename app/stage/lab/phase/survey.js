/** The way through one diagram: its borders, its cells from coarse to fine, and where each row's runs close. Pure but for its crew. */
import { Stopped } from "./crew.js";
import { fineRowsOf, ratiosOf, rowsOf } from "./plane.js";
import { closingOf } from "./ends.js";

/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {import("./ends.js").Cell} Cell */
/** @typedef {Pick<import("./crew.js").Crew, "ask"|"drop">} Asked */

export class Survey {
  /** @param {Asked} crew @param {Plane} plane @param {import("./found.js").Found} found what is known already */
  constructor(crew, plane, found) {
    this.crew = crew;
    this.plane = plane;
    this.found = found;
    this.rows = rowsOf(plane);
    this.ratios = ratiosOf(plane);
    /** @type {"idle"|"running"|"failed"} */
    this.state = "idle";
    this.reason = "";
    /** Cells that could not be computed. */
    this.lost = 0;
  }

  get all() {
    return this.rows.length * this.ratios.length;
  }

  get done() {
    return this.rows.reduce((sum, row) => sum + this.ratios.filter((ratio) => this.found.cell(row, ratio)).length, 0);
  }

  /** Whether all is known, the border of the runs too. */
  get finished() {
    return this.done === this.all && this.rows.every((row) => !this.closing(row) || this.found.closings.has(row));
  }

  /** Between which columns the runs of a row close. @param {number} row */
  closing(row) {
    const angles = this.ratios.map((ratio) => this.found.cell(row, ratio)?.angle);
    return closingOf(angles, this.ratios);
  }

  /** What theory says of each row, and between. @param {() => void} told */
  async findBorders(told) {
    await this.each(
      fineRowsOf(this.plane).filter((row) => !this.found.borders.has(row)),
      async (row) => {
        const found = await this.ask({ what: "border", row }, true);
        if ("imbalance" in found) this.found.borders.set(row, found.imbalance);
        told();
      },
    );
  }

  /** All that is not known yet. @param {() => void} told */
  async run(told) {
    if (this.state === "running") return;
    this.state = "running";
    this.lost = 0;
    await this.findBorders(told);
    if (this.state !== "running") return;
    await this.each(this.missing(), async ([row, ratio]) => {
      await this.one(row, ratio);
      told();
    });
    await this.each(this.rows, async (row) => {
      if (this.state !== "running") return;
      await this.close(row);
      told();
    });
    if (this.state === "running") this.state = this.lost ? "failed" : "idle";
  }

  /** Rows and columns that many others lie between come first, so that a diagram is seen soon. */
  missing() {
    const rank = (/** @type {number} */ i) => (i === 0 ? 8 : 31 - Math.clz32(i & -i));
    return this.rows
      .flatMap((row, j) => this.ratios.map((ratio, i) => ({ row, ratio, rank: Math.min(rank(i), rank(j)) })))
      .filter(({ row, ratio }) => !this.found.cell(row, ratio))
      .sort((a, b) => b.rank - a.rank)
      .map(({ row, ratio }) => /** @type {const} */ ([row, ratio]));
  }

  /** @param {number} row @param {number} ratio @param {boolean} [first] before all that wait */
  async one(row, ratio, first = false) {
    const found = await this.ask({ what: "cell", row, ratio }, first);
    if ("cell" in found) this.found.put(row, ratio, found.cell);
    else {
      this.lost++;
      this.reason = "error" in found ? found.error : "";
    }
  }

  /** Where the runs of a row close, to one per cent. @param {number} row */
  async close(row) {
    const between = this.closing(row);
    if (!between || this.found.closings.has(row)) return;
    const found = await this.ask({ what: "closing", row, between });
    if ("imbalance" in found && found.imbalance !== null) this.found.closings.set(row, found.imbalance);
  }

  /** @param {Omit<import("./answers.js").Ask, "type"|"plane">} what @param {boolean} [first] */
  ask(what, first = false) {
    return this.crew.ask({ type: "phase", plane: this.plane, ...what }, first);
  }

  /** One cell that somebody wants to see now. @param {number} row @param {number} ratio
   * @returns {Promise<Cell|undefined>} undefined: it could not be computed, or was stopped */
  async want(row, ratio) {
    await this.each([ratio], async () => void (await this.one(row, ratio, true)));
    return this.found.cell(row, ratio);
  }

  /** All at once; the crew takes one after another. A stop is no failure. @template T @param {T[]} items
   * @param {(item: T) => Promise<void>} act */
  async each(items, act) {
    try {
      await Promise.all(items.map(act));
    } catch (error) {
      if (error instanceof Stopped) this.state = "idle";
      else [this.state, this.reason] = ["failed", error instanceof Error ? error.message : String(error)];
    }
  }

  /** What waits is not computed; what is known stays. */
  stop() {
    if (this.state === "running") this.state = "idle";
    this.crew.drop();
  }
}
