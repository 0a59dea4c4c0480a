/** A hand on a class: its ring is taken, moved over the sphere and let go, in place of turning the camera. */
import { outlineRadius, viewMatrix } from "../scene/camera.js";
import { pickCentre } from "../scene/picking.js";

/** @typedef {import("../common/types.js").Vec3} Vec3 */
/**
 * @typedef {object} HandActs
 * @property {(id: string, c: number, to: Vec3, all: boolean) => void} move  where the hand is, on the unit sphere
 * of the picture; all: it means every panel
 * @property {() => void} end
 */

/**
 * The place of the sphere under the pointer that is nearest to the eye; beside the sphere, on its outline.
 * @param {import("../common/types.js").Pose} pose @param {{w: number, h: number}} sphere pixels
 * @param {number} x @param {number} y within the sphere's view @param {number} [radius] of the ball that is meant
 * @returns {Vec3}
 */
export function placeUnder(pose, sphere, x, y, radius = 1) {
  const outline = outlineRadius(pose, sphere.w, sphere.h),
    { distance } = pose;
  // Direction of the line of sight, the eye at (0, 0, distance): the outline touches the unit sphere.
  const slope = 1 / Math.sqrt(distance * distance - 1) / outline;
  const ray = [(x - sphere.w / 2) * slope, -(y - sphere.h / 2) * slope, -1];
  const square = ray[0] ** 2 + ray[1] ** 2 + 1,
    half = -distance,
    rest = half * half - square * (distance * distance - radius * radius);
  const t = (-half - Math.sqrt(Math.max(0, rest))) / square;
  const p = [ray[0] * t, ray[1] * t, distance + ray[2] * t],
    m = viewMatrix(pose);
  // The view turns the world; its transpose turns it back.
  const q = [0, 1, 2].map((i) => m[4 * i] * p[0] + m[4 * i + 1] * p[1] + m[4 * i + 2] * p[2]);
  const size = Math.hypot(...q) / radius || 1;
  return /** @type {Vec3} */ (q.map((value) => value / size));
}

/**
 * Where a class goes in its own space, when a hand puts it somewhere in the picture of it.
 * @param {Float32Array} mean (dim) unit: where it is @param {Vec3} to @param {ArrayLike<number>|null} view (3, dim) rows
 * of the picture; null: it shows all there is @returns {Float32Array} (dim) unit
 */
export function wayOf(mean, to, view) {
  const dim = mean.length,
    out = view ? Float32Array.from(mean) : Float32Array.from(to.slice(0, dim)),
    unit = () => {
      const size = Math.hypot(...out) || 1;
      for (let k = 0; k < dim; k++) out[k] /= size;
    };
  unit();
  // In a shadow the hand moves what can be seen of the class; the rest of it stays, as far as there is room.
  for (let turn = 0; view && turn < 4; turn++) {
    for (let a = 0; a < 3; a++) {
      let here = 0;
      for (let k = 0; k < dim; k++) here += view[a * dim + k] * out[k];
      for (let k = 0; k < dim; k++) out[k] += (to[a] - here) * view[a * dim + k];
    }
    unit();
  }
  return out;
}

/**
 * Watches a stage for a hand that takes a class. @param {import("../assembly.js").Stage} stage @param {HandActs} acts
 */
export function watchHand(stage, acts) {
  const { canvas, picture } = stage;
  /** @type {{id: string, c: number, index: number, radius: number, pointer: number}|null} */
  let held = null;
  const place = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const under = (/** @type {PointerEvent} */ event) => {
    const here = place(event),
      hit = picture.at(here.x, here.y);
    if (!hit?.run?.frame || picture.renderer.kind === "flat") return null;
    const { run } = hit,
      centres = run.placesAt("centres", run.progress(performance.now())),
      c = pickCentre(centres, picture.placer(hit.rect), hit.x, hit.y);
    const at = centres[c];
    return at ? { id: run.id, c, index: hit.index, radius: Math.hypot(...at), pointer: event.pointerId } : null;
  };
  // In the capture phase, before the camera's own gestures.
  const host = canvas.parentElement ?? canvas;
  host.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button > 0 || event.shiftKey || event.target !== canvas || held) return;
      held = under(event);
      if (!held) return;
      event.stopPropagation();
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      canvas.dataset.hand = "holds";
    },
    { capture: true },
  );
  host.addEventListener(
    "pointermove",
    (event) => {
      if (!held) {
        if (event.target === canvas && !event.buttons) canvas.dataset.hand = under(event) ? "near" : "";
        return;
      }
      event.stopPropagation();
      const rect = picture.rects[held.index],
        { x, y } = place(event);
      if (!rect) return;
      const pose = picture.poseAt(held.index);
      acts.move(
        held.id,
        held.c,
        placeUnder(pose, rect.sphere, x - rect.sphere.x, y - rect.sphere.y, Math.max(0.2, held.radius)),
        event.altKey,
      );
    },
    { capture: true },
  );
  const end = (/** @type {PointerEvent} */ event) => {
    if (!held || event.pointerId !== held.pointer) return;
    held = null;
    canvas.dataset.hand = "";
    event.stopPropagation();
    acts.end();
  };
  for (const type of /** @type {const} */ (["pointerup", "pointercancel"]))
    host.addEventListener(type, end, { capture: true });
}
