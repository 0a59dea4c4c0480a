/**
 * Places that a method owns on the sphere: targets, prototypes, classifier weights, and whatever another method brings.
 */
import { capFills } from "./caps.js";
import { SHAPE } from "../drawing/shaders.js";
import { arc, cap, sign } from "./strokes.js";
import { length, normalize } from "../common/vectors.js";

/** @typedef {import("../common/types.js").Vec3} Vec3 */
/** @typedef {import("./scene.js").Look} Look */
/** @typedef {(c: number) => number} Faded */

/**
 * Layer, shape and size of the kinds that have a sign of their own.
 * @type {Record<string, {shape: number, size: number}>}
 */
const OWN = { prototypes: { shape: SHAPE.SQUARE, size: 4.6 }, classifier: { shape: SHAPE.TRIANGLE, size: 4.8 } };
/** Densities may be wide and overlap: their fill is fainter than that of caps. */
const DENSITY_STRENGTH = 0.4,
  CAP_DASHES = 22;

/**
 * Names of landmarks without a sign of their own. @param {import("../incoming/runs.js").Run} run @returns {string[]}
 */
export const otherLandmarks = (run) =>
  run.names().filter((name) => name !== "centres" && name !== "targets" && !(name in OWN));

/** Landmarks around which a reading draws caps. @param {import("../incoming/runs.js").Run} run @returns {string[]} */
export const cappedLandmarks = (run) => run.names().filter((name) => run.frame?.header.readings?.[`${name}_cap`]);

/**
 * Whether the picture is the embedding itself, so that an angle on it is one.
 * @param {import("../incoming/runs.js").Run} run
 */
export const isItself = (run) => run.info?.header.dim === 3 && !run.frame?.header.projection;

/** @param {import("./strokes.js").Sheets} to @param {import("../incoming/runs.js").Run} run @param {number} k progress
 * @param {(Vec3|null)[]} centres @param {Look} look @param {Faded} faded */
export function addLandmarks(to, run, k, centres, look, faded) {
  const header = run.frame?.header,
    { layers, colours, ink, scale } = look;
  if (!header) return;
  if (layers.densities && isItself(run)) addDensities(to, run, k, look, faded);
  if (layers.targets) addTargets(to, run.marksAt("targets", k), header.target_index, centres, look, faded);
  const others = layers.landmarks ? otherLandmarks(run) : [];
  const named = ["prototypes", "classifier"].filter((name) => /** @type {Record<string, boolean>} */ (layers)[name]);
  for (const name of [...named, ...others]) {
    const { shape, size } = OWN[name] ?? { shape: SHAPE.PLUS, size: 4.4 },
      places = run.marksAt(name, k);
    // One row for each class has the classes' colours; any other number of rows says nothing of classes.
    const byClass = places.length === run.numClasses;
    places.forEach(
      (p, c) =>
        p &&
        sign(
          to.signs,
          onSphere(p, header),
          (byClass && colours[c]) || ink,
          byClass ? faded(c) : 0.8,
          size * scale,
          shape,
        ),
    );
  }
}

/** Directions are drawn on the sphere itself; in a projection their length says how much of them is seen.
 * @param {Vec3} p @param {import("../common/types.js").FrameHeader} header */
const onSphere = (p, header) => (header.projection || length(p) < 1e-6 ? p : normalize(p));

/** Diamonds, and an arc from each centre to the target that is its own. @param {import("./strokes.js").Sheets} to
 * @param {(Vec3|null)[]} targets @param {number[]|null} index @param {(Vec3|null)[]} centres @param {Look} look
 * @param {Faded} faded
 */
function addTargets(to, targets, index, centres, look, faded) {
  /** @type {Map<number, number>} */
  const owner = new Map((index ?? []).map((t, c) => [t, c]));
  targets.forEach((p, t) => {
    if (!p) return;
    const c = owner.get(t),
      mine = c === undefined ? look.ink : look.colours[c],
      alpha = c === undefined ? 0.6 : faded(c);
    const m = c === undefined ? null : centres[c];
    if (m) arc(to.lines, m, p, mine, 0.85 * alpha, 1.5);
    sign(to.signs, p, mine, alpha, 5.6 * look.scale, SHAPE.DIAMOND);
  });
}

/**
 * How wide the method believes each class to be. @param {import("./strokes.js").Sheets} to
 * @param {import("../incoming/runs.js").Run} run
 * @param {number} k @param {Look} look @param {Faded} faded */
function addDensities(to, run, k, look, faded) {
  for (const name of cappedLandmarks(run)) {
    const places = run.marksAt(name, k),
      degrees = run.frame?.header.readings?.[`${name}_cap`] ?? [];
    const angles = places.map((_, c) =>
      Number(degrees[c]) > 0 && Number(degrees[c]) < 180 ? (Number(degrees[c]) * Math.PI) / 180 : 0,
    );
    // Caps and densities are fills over the same places, which wear no more of both than of one.
    const fills = capFills(places, angles, look.layers.caps ? DENSITY_STRENGTH / 2 : DENSITY_STRENGTH);
    places.forEach(
      (p, c) =>
        p && angles[c] && cap(to, normalize(p), angles[c], look.colours[c] ?? look.ink, faded(c), fills[c], CAP_DASHES),
    );
  }
}
