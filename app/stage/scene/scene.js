/** Turns a run's centres, landmarks and layers into lines, signs and caps. */
import { addClouds } from "./clouds.js";
import { addForces } from "./forces.js";
import { addLandmarks } from "./landmarks.js";
import { addLinks } from "./links.js";
import { SHAPE } from "../drawing/shaders.js";
import { arc, cap, sign, stroke } from "./strokes.js";
import { normalize } from "../common/vectors.js";

/** @typedef {import("../common/types.js").Vec3} Vec3 */
/** @typedef {import("./colours.js").Rgb} Rgb */
/** @typedef {import("./strokes.js").Sheets} Sheets */
/** @typedef {Record<"links"|"clouds"|"forces", number>} Tally  how many of each were drawn */
/**
 * @typedef {object} Look   what a panel is to show
 * @property {import("../choices/layers.js").Layers} layers
 * @property {Rgb[]} colours        of the classes
 * @property {Rgb} ink
 * @property {Rgb} page
 * @property {number} scale         sizes follow the panel: 1 at 300 pixels
 * @property {Set<number>|null} chosen   classes in focus; null: all
 * @property {{angles: number[], fills: number[]}|null} caps of each class: half-angle in radians, and how strong its
 * fill is
 * @property {(Vec3|null)[]|null} ghost  the ideal configuration, turned onto the centres
 * @property {number|null} mark     index of the point to ring
 * @property {number[]|null} near   indices of its nearest samples
 * @property {[Vec3, Vec3][]|null} borders  of the classes' territories
 * @property {import("./forces.js").ForceLook} forces
 * @property {number} trail         frames that trails reach back
 * @property {string} key           the same for looks that draw the same of a frame
 */

/**
 * Everything of one panel except its points. @param {Sheets} to @param {import("../incoming/runs.js").Run} run
 * @param {number} k @param {Look} look
 * @returns {Tally} */
export function addScene(to, run, k, look) {
  const { layers, colours, scale } = look,
    header = run.frame?.header;
  /** @type {Tally} */
  const tally = { links: 0, clouds: 0, forces: 0 };
  if (!header) return tally;
  const centres = run.marksAt("centres", k);
  const faded = (/** @type {number} */ c) => (look.chosen && !look.chosen.has(c) ? 0.15 : 1);
  if (layers.clouds) tally.clouds = addClouds(to, run, look, faded);
  if (layers.caps && look.caps)
    centres.forEach(
      (m, c) =>
        m &&
        look.caps?.angles[c] &&
        cap(to, normalize(m), look.caps.angles[c], colours[c], faded(c), look.caps.fills[c]),
    );
  look.borders?.forEach(([a, b]) => stroke(to.ground, a, b, look.ink, 0.5, 1));
  if (layers.trails) addTrails(to, run, centres, look);
  if (layers.ghost && look.ghost) addGhost(to, look.ghost, centres, look);
  if (layers.links) tally.links = addLinks(to, run, k, look);
  addLandmarks(to, run, k, centres, look, faded);
  if (layers.forces) tally.forces = addForces(to, run, centres, look, faded);
  if (layers.centres) centres.forEach((m, c) => m && sign(to.signs, m, colours[c], faded(c), 6.4 * scale, SHAPE.RING));
  if (look.mark === null || look.mark >= header.n) return tally;
  const marked = run.pointAt(look.mark, k);
  look.near?.forEach((i) => i < header.n && arc(to.lines, marked, run.pointAt(i, k), look.ink, 0.8, 1.2));
  sign(to.signs, marked, look.ink, 1, 8.5 * scale, SHAPE.HALO);
  return tally;
}

/**
 * Where the centres of the classes in focus have been, older parts fainter. @param {Sheets} to
 * @param {import("../incoming/runs.js").Run} run
 * @param {(Vec3|null)[]} centres @param {Look} look */
function addTrails({ lines }, run, centres, { colours, chosen, scale, trail }) {
  const past = run.history.slice(-trail - 1, -1),
    steps = past.length;
  const at = (/** @type {Float32Array|undefined} */ all, /** @type {number} */ c) =>
    all && Number.isFinite(all[3 * c]) ? /** @type {Vec3} */ ([all[3 * c], all[3 * c + 1], all[3 * c + 2]]) : null;
  centres.forEach((now, c) => {
    if (chosen && !chosen.has(c)) return;
    for (let i = 0; i < steps; i++) {
      const a = at(past[i], c),
        b = i + 1 < steps ? at(past[i + 1], c) : now;
      if (a && b) stroke(lines, a, b, colours[c], (0.9 * (i + 1)) / steps, 0.8 + (1.8 * scale * (i + 1)) / steps);
    }
  });
}

/** The ideal, dashed, and the way each centre still has to go. @param {Sheets} to @param {(Vec3|null)[]} ghost
 * @param {(Vec3|null)[]} centres @param {Look} look */
function addGhost(to, ghost, centres, look) {
  const near = nearestNeighbours(ghost);
  for (const [a, b] of near)
    stroke(
      to.ground,
      /** @type {Vec3} */ (ghost[a]),
      /** @type {Vec3} */ (ghost[b]),
      look.ink,
      0.42,
      1.1,
      0,
      14 * chord(ghost[a], ghost[b]),
    );
  ghost.forEach((p, c) => {
    if (!p) return;
    const m = centres[c];
    if (m) arc(to.ground, m, p, look.ink, 0.5, 1);
    sign(to.signs, p, look.ink, 0.75, 2.4 * look.scale, SHAPE.DOT);
  });
}

/** @param {Vec3|null} a @param {Vec3|null} b */
const chord = (a, b) => (a && b ? Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) : 0);

/**
 * Edges of the figure: pairs hardly further apart than the nearest. @param {(Vec3|null)[]} points
 * @returns {[number, number][]}
 */
function nearestNeighbours(points) {
  /** @type {[number, number, number][]} */
  const pairs = [];
  points.forEach((a, i) => points.forEach((b, j) => i < j && a && b && pairs.push([i, j, chord(a, b)])));
  const least = Math.min(...pairs.map((p) => p[2]));
  return pairs.filter((p) => p[2] < least * 1.22).map(([i, j]) => [i, j]);
}
