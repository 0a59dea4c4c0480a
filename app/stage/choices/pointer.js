/** What is under the hand: the card of a sample or a class, pinned by a click; an outline or a box selects. */
import { describeClass } from "../reading/card.js";
import { pickCentre, pickInside, pickPoint } from "./picking.js";

/** @typedef {import("../scene/picture.js").Picture} Picture */
/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {{run: Run, index: number, id: number, x: number, y: number}} Pin */

export class Pointer {
  /**
   * @param {Picture} picture @param {import("../reading/card.js").Card} card @param {SVGPolylineElement} drawing
   * @param {{redraw: () => void, select: (ids: Set<number>|null) => void}} told
   */
  constructor(picture, card, drawing, told) {
    this.picture = picture;
    this.card = card;
    this.drawing = drawing;
    this.told = told;
    /** @type {{x: number, y: number}|null} where the pointer rests */
    this.rest = null;
    /** @type {Pin|null} */
    this.pin = null;
    /** @type {[number, number][]} */
    this.drawn = [];
  }

  /**
   * The card answers at once, and a picture is drawn only where the ring has moved: in software one takes tens of
   * milliseconds.
   * @param {number} x @param {number} y */
  move(x, y) {
    this.rest = { x, y };
    if (this.look(performance.now())) this.told.redraw();
  }

  leave() {
    this.rest = null;
    if (this.look(performance.now())) this.told.redraw();
  }

  /**
   * Asked at every picture too: points move under a resting pointer. @param {number} now
   * @returns {boolean} whether the ring moved
   */
  look(now) {
    const { picture, card } = this,
      before = picture.marked;
    const found = this.pin ? null : this.find(now);
    picture.pinned = this.pin !== null;
    if (this.pin) {
      picture.marked = this.pin.id;
      card.showPinned(this.pin, picture.shown);
    } else if (found && found.index >= 0) {
      picture.marked = found.id;
      card.showPoint(found);
    } else {
      picture.marked = null;
      if (found) card.show(describeClass(found.run, found.centre), null, found.x, found.y);
      else card.hide();
    }
    return before !== picture.marked;
  }

  /** @param {number} now */
  find(now) {
    const { picture, rest } = this,
      hit = rest && picture.at(rest.x, rest.y);
    if (!hit || !hit.run?.frame || !hit.run.info) return null;
    const { run } = hit,
      k = run.progress(now),
      place = picture.placer(hit.rect),
      { labels, split, ids } = run.info ?? {};
    const { chosen, layers } = picture;
    const visible = (/** @type {number} */ i) =>
      layers.points &&
      [layers.train, layers.test, layers.validation][split?.[i] ?? 0] &&
      (!chosen || chosen.has(labels?.[i] ?? -1));
    const index = pickPoint(run, k, place, picture.poseAt(hit.index).distance, hit.x, hit.y, visible);
    const centre = index < 0 && layers.centres ? pickCentre(run.marksAt("centres", k), place, hit.x, hit.y) : -1;
    if (index < 0 && centre < 0) return null;
    return {
      run,
      index,
      centre,
      id: ids ? ids[index] : index,
      x: /** @type {{x: number}} */ (rest).x,
      y: /** @type {{y: number}} */ (rest).y,
    };
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

  /** Pins a sample in the first panel that has it; its card stands beside the middle, where a flight will bring it.
   * @param {number} id @returns {boolean} whether any has it */
  pinSample(id) {
    const { picture } = this;
    for (const [i, run] of picture.shown.entries()) {
      const index = run.indexOf(id),
        view = picture.rects[i]?.view;
      if (index === null || !run.frame || !view) continue;
      this.pin = { run, index, id, x: view.x + view.w / 2, y: view.y + view.h / 2 };
      this.told.redraw();
      return true;
    }
    return false;
  }

  release() {
    this.pin = null;
    this.told.redraw();
  }

  /** A run that is gone, or has other samples, takes its pin along. @param {Run} run */
  forget(run) {
    if (this.pin?.run === run) this.pin = null;
  }

  /** A line around samples, or a box: what is inside on the near side is selected. @param {number} x @param {number} y
   * @param {import("./gestures.js").Phase} phase @param {import("./gestures.js").Tool} tool */
  outline(x, y, phase, tool) {
    if (phase === "start") {
      this.drawn = [];
      this.rest = null;
    }
    if (phase === "start" || phase === "move" || phase === "end") {
      const [first = /** @type {[number, number]} */ ([x, y])] = this.drawn;
      this.drawn = tool === "box" ? [first, [x, first[1]], [x, y], [first[0], y]] : [...this.drawn, [x, y]];
    }
    const drawing = phase === "start" || phase === "move",
      [start] = this.drawn;
    this.drawing.setAttribute(
      "points",
      drawing ? [...this.drawn, ...(tool === "box" ? [start] : [])].map((p) => p.join()).join(" ") : "",
    );
    if (phase === "end") this.told.select(this.inside());
  }

  /** Ids of the samples within what was drawn; the panel where it began counts. @returns {Set<number>|null} */
  inside() {
    const { picture, drawn } = this,
      hit = picture.at(...drawn[0]);
    if (!hit?.run?.frame || !hit.run.info || drawn.length < 4) return null;
    const { view } = hit.rect,
      outline = drawn.map(([a, b]) => /** @type {[number, number]} */ ([a - view.x, b - view.y]));
    const inside = pickInside(hit.run, picture.placer(hit.rect), outline, picture.poseAt(hit.index).distance);
    const { ids } = hit.run.info;
    return inside.length ? new Set(inside.map((i) => (ids ? ids[i] : i))) : null;
  }
}
