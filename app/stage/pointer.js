/** What is under the hand: the card of a sample or a class, pinned by a click; an outline drawn with shift selects. */
import { describeClass } from "./card.js";
import { pickCentre, pickInside, pickPoint } from "./picking.js";

/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {import("./runs.js").Run} Run */
/** @typedef {{run: Run, index: number, id: number, x: number, y: number}} Pin */

export class Pointer {
  /**
   * @param {Picture} picture @param {import("./card.js").Card} card @param {SVGPolylineElement} outline
   * @param {{redraw: () => void, select: (ids: Set<number>|null) => void}} told
   */
  constructor(picture, card, outline, told) {
    this.picture = picture;
    this.card = card;
    this.outline = outline;
    this.told = told;
    /** @type {{x: number, y: number}|null} where the pointer rests */
    this.rest = null;
    /** @type {Pin|null} */
    this.pin = null;
    /** @type {[number, number][]} */
    this.drawn = [];
  }

  /** @param {number} x @param {number} y */
  move(x, y) {
    this.rest = { x, y };
    this.told.redraw();
  }

  leave() {
    this.rest = null;
    this.told.redraw();
  }

  /** Asked at every picture: points move under a resting pointer too. @param {number} now @returns {boolean} whether the ring moved */
  look(now) {
    const { picture, card } = this, before = picture.marked;
    const found = this.pin ? null : this.find(now);
    picture.pinned = this.pin !== null;
    if (this.pin) {
      picture.marked = this.pin.id;
      card.showPoint(this.pin.run, this.pin.index, this.pin.x, this.pin.y, true);
    } else if (found && found.index >= 0) {
      picture.marked = found.id;
      card.showPoint(found.run, found.index, found.x, found.y, false);
    } else {
      picture.marked = null;
      if (found) card.show(describeClass(found.run, found.centre), null, found.x, found.y, false);
      else card.hide();
    }
    return before !== picture.marked;
  }

  /** @param {number} now */
  find(now) {
    const { picture, rest } = this, hit = rest && picture.at(rest.x, rest.y);
    if (!hit || !hit.run?.frame || !hit.run.info) return null;
    const { run } = hit, k = run.progress(now), place = picture.placer(hit.rect), { labels, split, ids } = run.info ?? {};
    const { chosen, layers, camera } = picture;
    const visible = (/** @type {number} */ i) =>
      layers.points && (split?.[i] ? layers.test : layers.train) && (!chosen || chosen.has(labels?.[i] ?? -1));
    const index = pickPoint(run, k, place, camera.pose.distance, hit.x, hit.y, visible);
    const centre = index < 0 && layers.centres ? pickCentre(run.marksAt("centres", k), place, hit.x, hit.y) : -1;
    if (index < 0 && centre < 0) return null;
    return { run, index, centre, id: ids ? ids[index] : index, x: /** @type {{x: number}} */ (rest).x, y: /** @type {{y: number}} */ (rest).y };
  }

  /** Pins what is there, or lets go. @param {number} x @param {number} y @param {number} now */
  click(x, y, now) {
    this.rest = { x, y };
    const had = this.pin;
    this.pin = null;
    const found = this.find(now);
    if (found && found.index >= 0 && had?.id !== found.id) this.pin = found;
    this.told.redraw();
  }

  release() {
    this.pin = null;
    this.told.redraw();
  }

  /** A run that is gone, or has other samples, takes its pin along. @param {Run} run */
  forget(run) {
    if (this.pin?.run === run) this.pin = null;
  }

  /** @param {number} x @param {number} y @param {"start"|"move"|"end"} phase */
  lasso(x, y, phase) {
    if (phase === "start") this.drawn = [];
    this.drawn.push([x, y]);
    this.outline.setAttribute("points", phase === "end" ? "" : this.drawn.map((p) => p.join()).join(" "));
    if (phase !== "end") return;
    const hit = this.picture.at(...this.drawn[0]);
    if (!hit?.run?.frame || !hit.run.info || this.drawn.length < 4) return this.told.select(null);
    const { view } = hit.rect, outline = this.drawn.map(([a, b]) => /** @type {[number, number]} */ ([a - view.x, b - view.y]));
    const inside = pickInside(hit.run, this.picture.placer(hit.rect), outline, this.picture.camera.pose.distance);
    const { ids } = hit.run.info;
    this.told.select(inside.length ? new Set(inside.map((i) => (ids ? ids[i] : i))) : null);
  }
}
