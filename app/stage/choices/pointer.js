/** What is under the hand: the card of a sample or a class, pinned by a click; an outline or a box selects. */
import { forceLook } from "../scene/forces.js";
import { pickArrow, pickCentre, pickInside, pickPoint } from "../scene/picking.js";
import { fill, words } from "../words.js";
import { Lighting } from "./lighting.js";

/** @typedef {import("../drawing/picture.js").Picture} Picture */
/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {{run: Run, index: number, id: number, x: number, y: number}} Pin */

export class Pointer {
  /**
   * @param {Picture} picture @param {import("../reading/sample.js").SampleNote} note
   * @param {SVGPolylineElement} drawing
   */
  constructor(picture, note, drawing) {
    this.picture = picture;
    this.choices = picture.choices;
    this.note = note;
    this.drawing = drawing;
    this.lighting = new Lighting(picture.choices);
    /** @type {{x: number, y: number}|null} where the pointer rests */
    this.rest = null;
    /** @type {Pin|null} */
    this.pin = null;
    /** @type {[number, number][]} */
    this.drawn = [];
  }

  /**
   * The note answers at once, and a picture is drawn only where the ring has moved: in software one takes tens of
   * milliseconds. @param {number} x @param {number} y
   */
  move(x, y) {
    this.rest = { x, y };
    this.look(performance.now());
  }

  leave() {
    this.rest = null;
    this.look(performance.now());
  }

  /** Asked at every picture too: points move under a resting pointer. @param {number} now */
  look(now) {
    const { pin, picture, note } = this;
    if (pin) {
      this.choices.set({ marked: pin.id, pinned: true });
      return note.showPinned(pin, picture.shown);
    }
    const arrow = this.findArrow(now),
      found = arrow ? null : this.find(now);
    const point = found && found.index >= 0 ? found : null;
    this.choices.set({ marked: point && point.id, pinned: false });
    if (this.rest) this.lighting.point(arrow && arrow.part);
    if (arrow) note.show(arrow.lines, null, arrow.x, arrow.y);
    else if (point) note.showPoint(point);
    else if (found) note.showClass(found.run, found.centre, found.x, found.y);
    else note.hide();
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
    const { on } = picture;
    const { chosen } = this.choices.now;
    const visible = (/** @type {number} */ i) =>
      on.points && [on.train, on.test, on.validation][split?.[i] ?? 0] && (!chosen || chosen.has(labels?.[i] ?? -1));
    const { distance } = picture.poseAt(hit.index);
    const index = pickPoint(run, k, place, distance, hit.x, hit.y, visible, picture.pointsOf(run));
    const centre = index < 0 && on.centres ? pickCentre(run.placesAt("centres", k), place, hit.x, hit.y) : -1;
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

  /** The arrow of a force's part under the pointer. @param {number} now */
  findArrow(now) {
    const { picture, rest, choices } = this,
      hit = rest && picture.on.forces ? picture.at(rest.x, rest.y) : null;
    if (!hit?.run?.frame || !hit.run.info) return null;
    const { run } = hit,
      { class_names } = hit.run.info.header,
      look = forceLook(choices.now.forces, run, picture.shown),
      distance = picture.poseAt(hit.index).distance;
    const found = pickArrow(run, run.progress(now), look, picture.placer(hit.rect), distance, hit.x, hit.y);
    if (!found || !rest) return null;
    const [word, sentence] = words.forceParts[found.part];
    const lines = [class_names[found.c], fill(words.forcePart, { word, sentence })];
    return { ...found, lines, x: rest.x, y: rest.y };
  }

  /**
   * The class that a hand means there: that of the dot or the centre, else the one whose centre is nearest on the near
   * side. @param {number} x @param {number} y @param {number} now
   * @returns {{rank: number, name: string}|null} null beside the spheres
   */
  classAt(x, y, now) {
    const { picture } = this,
      hit = picture.at(x, y);
    if (!hit?.run?.frame || !hit.run.info || !picture.onSphere(x, y)) return null;
    this.rest = { x, y };
    const { run } = hit,
      { labels, header } = hit.run.info,
      found = this.find(now),
      place = picture.placer(hit.rect),
      { distance } = picture.poseAt(hit.index);
    let rank = found ? (found.index >= 0 ? labels[found.index] : found.centre) : -1,
      least = Infinity;
    if (rank < 0 || rank >= header.num_classes)
      run.placesAt("centres", run.progress(now)).forEach((m, c) => {
        if (!m) return;
        const [px, py, w] = place(m),
          off = (px - hit.x) ** 2 + (py - hit.y) ** 2;
        if (w <= distance && off < least) [least, rank] = [off, c];
      });
    const name = header.class_names[rank];
    return name === undefined ? null : { rank, name };
  }

  /** Pins what is there, or lets go. @param {number} x @param {number} y @param {number} now */
  click(x, y, now) {
    this.rest = { x, y };
    const had = this.pin;
    this.pin = null;
    const found = this.find(now);
    if (found && found.index >= 0 && had?.id !== found.id) this.pin = found;
    this.look(now);
  }

  /** Pins a sample in the first panel that has it; its card stands beside the middle, where a flight will bring it.
   * @param {number} id @returns {boolean} whether any has it */
  pinSample(id) {
    const { picture } = this;
    for (const [i, run] of picture.shown.entries()) {
      const index = run.indexOf(id),
        sphere = picture.rects[i]?.sphere;
      if (index === null || !run.frame || !sphere) continue;
      this.pin = { run, index, id, x: sphere.x + sphere.w / 2, y: sphere.y + sphere.h / 2 };
      this.look(performance.now());
      return true;
    }
    return false;
  }

  release() {
    this.pin = null;
    this.look(performance.now());
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
    if (phase === "end") this.choices.set({ selected: this.inside() });
  }

  /** Ids of the samples within what was drawn; the panel where it began counts. @returns {Set<number>|null} */
  inside() {
    const { picture, drawn } = this,
      hit = picture.at(...drawn[0]);
    if (!hit?.run?.frame || !hit.run.info || drawn.length < 4) return null;
    const { sphere } = hit.rect,
      outline = drawn.map(([a, b]) => /** @type {[number, number]} */ ([a - sphere.x, b - sphere.y]));
    const inside = pickInside(hit.run, picture.placer(hit.rect), outline, picture.poseAt(hit.index).distance);
    const { ids } = hit.run.info;
    return inside.length ? new Set(inside.map((i) => (ids ? ids[i] : i))) : null;
  }
}
