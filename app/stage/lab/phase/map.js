/** The heat map: cells that can be reached with pointer and keys, the border that theory predicts, axes and a legend. */
import { setAttribute } from "../../common/dom.js";
import { axesOf, cross, draw, legendOf, roomOf, titleOf, TYPE } from "./around.js";
import { rowsOf } from "./plane.js";
import { borderPath, scalesOf, shadesOf, widest } from "./scales.js";

/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {import("./found.js").Found} Found */
/** @typedef {import("./around.js").Look} Look */
/** @typedef {{row: number, ratio: number}} Place */
/**
 * @typedef {object} MapActs
 * @property {(place: Place) => void} see    pointer or focus is on a cell
 * @property {(place: Place) => void} play
 * @property {(place: Place) => string} tell a cell in words
 */

const GAP = 1;

export class PhaseMap {
  /** @param {MapActs} acts */
  constructor(acts) {
    this.acts = acts;
    /** @type {Place|null} the cell that the keys are at */
    this.at = null;
    /** @type {Place|null} the cell on the stage */
    this.playing = null;
    /** @type {Map<string, SVGElement>} */
    this.cells = new Map();
    this.root = draw("svg", { role: "grid", class: "ltl-map" });
    this.root.addEventListener("keydown", (event) => this.key(/** @type {KeyboardEvent} */ (event)));
    for (const type of ["pointerover", "focusin"])
      this.root.addEventListener(type, (event) => this.under(event, (place) => acts.see(place)));
    this.root.addEventListener("click", (event) =>
      this.under(event, (place) => {
        this.go(place);
        acts.play(place);
      }),
    );
    for (const type of ["focusin", "focusout"]) this.root.addEventListener(type, () => this.drawRings());
    /** What it was laid for, and what it shows. */
    this.shape = this.known = "";
    /** @type {Found|null} */
    this.found = null;
    /** @type {Look|null} */
    this.look = null;
    /** @type {(share: number) => string} */
    this.shade = () => "";
    this.rings = draw("g", { fill: "none", "pointer-events": "none" });
  }

  /** @param {Event} event @param {(place: Place) => void} act */
  under({ target }, act) {
    const cell = /** @type {Element} */ (target).closest("[data-row]");
    if (cell) act({ row: Number(cell.getAttribute("data-row")), ratio: Number(cell.getAttribute("data-ratio")) });
  }

  /**
   * @param {Plane} plane @param {Found} found @param {Look} look @param {number} width in pixels
   * @param {string[]} title of the diagram, and how it was computed
   */
  draw(plane, found, look, width, title) {
    const shape = JSON.stringify([plane, look, width, title]);
    const known = [found.cells, found.borders, found.closings].map(({ size }) => size).join();
    if (shape === this.shape && found === this.found && known === this.known) return this.drawRings();
    if (shape !== this.shape) this.lay(plane, look, width, title);
    [this.shape, this.found, this.known] = [shape, found, known];
    this.fill(plane, found, look);
  }

  /** All that stays while cells come. @param {Plane} plane @param {Look} look @param {number} width
   * @param {string[]} title */
  lay(plane, look, width, title) {
    const { box, height } = roomOf(rowsOf(plane).length, width),
      scales = (this.scales = scalesOf(plane, box));
    this.shade = shadesOf(look.page);
    const hadFocus = this.root.contains(document.activeElement),
      size = { width, height, viewBox: `0 0 ${width} ${height}` };
    for (const [name, value] of Object.entries({ ...size, ...TYPE, fill: look.quiet, "aria-label": title.join(", ") }))
      this.root.setAttribute(name, String(value));
    this.cells.clear();
    const rows = scales.rows.map((row, j) =>
      draw("g", { role: "row" }, ...scales.ratios.map((ratio, i) => this.cellOf(row, ratio, i, j))),
    );
    this.borders = draw("g", { "clip-path": "url(#ltl-phase-box)", fill: "none" });
    this.marks = draw("g", {});
    this.root.replaceChildren(
      draw("rect", { width, height, fill: look.paper }),
      draw("clipPath", { id: "ltl-phase-box" }, draw("rect", { x: box.x, y: box.y, width: box.w, height: box.h })),
      draw(
        "g",
        { role: "presentation" },
        ...titleOf(title, look, box),
        ...axesOf(plane, look, box, scales),
        ...legendOf(plane, look, box, this.shade),
      ),
      // The upper row is read first.
      draw("g", { role: "rowgroup" }, ...rows.reverse()),
      this.borders,
      this.marks,
      this.rings,
    );
    if (this.at && !this.cells.has(nameOf(this.at))) this.at = null;
    if (this.playing && !this.cells.has(nameOf(this.playing))) this.playing = null;
    this.at ??= { row: scales.rows[0], ratio: scales.ratios[0] };
    this.go(this.at, hadFocus);
  }

  /** @param {number} row @param {number} ratio @param {number} i column @param {number} j row */
  cellOf(row, ratio, i, j) {
    const { scales } = this;
    if (!scales) throw new Error("laid before");
    const cell = draw("rect", {
      role: "gridcell",
      tabindex: -1,
      "data-row": row,
      "data-ratio": ratio,
      x: scales.left(i).toFixed(2),
      y: scales.top(j).toFixed(2),
      width: (scales.cell.w - GAP).toFixed(2),
      height: (scales.cell.h - GAP).toFixed(2),
    });
    this.cells.set(nameOf({ row, ratio }), cell);
    return cell;
  }

  /** What has come. @param {Plane} plane @param {Found} found @param {Look} look */
  fill(plane, found, look) {
    const { scales, shade } = this;
    if (!scales) return;
    const most = widest(plane);
    for (const row of scales.rows)
      for (const ratio of scales.ratios) {
        const place = { row, ratio },
          cell = this.cells.get(nameOf(place)),
          angle = found.cell(row, ratio)?.angle;
        if (!cell) continue;
        setAttribute(cell, "fill", angle === undefined ? look.line : shade(Math.min(1, angle / most)));
        setAttribute(cell, "fill-opacity", angle === undefined ? "0.45" : null);
        setAttribute(cell, "aria-label", this.acts.tell(place));
      }
    const d = borderPath(plane, found.borders, scales),
      way = (/** @type {Record<string, string|number>} */ how) => draw("path", { d, ...how });
    const halo = { stroke: look.paper, "stroke-width": 4.5, "stroke-opacity": 0.9 };
    this.borders?.replaceChildren(
      ...(d ? [way(halo), way({ stroke: look.ink, "stroke-width": 2, "stroke-dasharray": "6 3" })] : []),
    );
    this.marks?.replaceChildren(
      ...scales.rows.flatMap((row) => {
        const at = found.closings.get(row);
        if (at === undefined) return [];
        const sign = cross(scales.x(at), scales.y(row));
        return [
          draw("path", { d: sign, ...halo, "stroke-width": 5 }),
          draw("path", { d: sign, stroke: look.ink, "stroke-width": 2 }),
        ];
      }),
    );
    this.look = look;
    this.drawRings();
  }

  /** Around the cell on the stage, and around that which the keys are at. */
  drawRings() {
    const { look, playing, root } = this,
      cell = playing && this.cells.get(nameOf(playing)),
      { activeElement } = document;
    const focused = root.contains(activeElement) && activeElement?.matches(":focus-visible") ? activeElement : null;
    const around = (/** @type {Element|null|undefined} */ of, /** @type {Record<string, string|number>} */ how) =>
      of
        ? [draw("rect", { ...Object.fromEntries(SIDES.map((side) => [side, of.getAttribute(side) ?? 0])), ...how })]
        : [];
    if (!look) return;
    this.rings.replaceChildren(
      ...[cell, focused].flatMap((of) => around(of, { stroke: look.paper, "stroke-width": 5.5 })),
      ...around(cell, { stroke: look.ink, "stroke-width": 2.5 }),
      ...around(focused, { stroke: look.ink, "stroke-width": 2, "stroke-dasharray": "4 2" }),
    );
  }

  /** @param {Place} place @param {boolean} [focus] */
  go(place, focus = false) {
    const before = this.at && this.cells.get(nameOf(this.at)),
      next = this.cells.get(nameOf(place));
    before?.setAttribute("tabindex", "-1");
    next?.setAttribute("tabindex", "0");
    this.at = place;
    if (focus) next?.focus();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { scales, at } = this;
    if (!scales || !at) return;
    if (event.key === "Enter" || event.key === " ") this.acts.play(at);
    else {
      const i = scales.ratios.indexOf(at.ratio),
        j = scales.rows.indexOf(at.row),
        last = scales.ratios.length - 1;
      const to = {
        ArrowLeft: [i - 1, j],
        ArrowRight: [i + 1, j],
        ArrowUp: [i, j + 1],
        ArrowDown: [i, j - 1],
        Home: [0, j],
        End: [last, j],
      }[event.key];
      if (!to) return;
      const [x, y] = [to[0], to[1]].map((n, k) => Math.max(0, Math.min(k ? scales.rows.length - 1 : last, n)));
      this.go({ row: scales.rows[y], ratio: scales.ratios[x] }, true);
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

const SIDES = ["x", "y", "width", "height"];
/** @param {Place} place */
const nameOf = ({ row, ratio }) => `${row} ${ratio}`;
