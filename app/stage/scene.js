/** Turns a run's centres, landmarks and layers into lines, signs and caps for the batches. */
import { SHAPE } from "./shaders.js";
import { cross, dot, length, normalize, slerp } from "./vectors.js";

/** @typedef {import("./types.js").Vec3} Vec3 */
/** @typedef {import("./colours.js").Rgb} Rgb */
/** @typedef {{lines: import("./gl.js").Batch, signs: import("./gl.js").Batch, patches: import("./gl.js").Batch}} Batches */
/**
 * @typedef {object} Look   what a panel is to show
 * @property {import("./layers.js").Layers} layers
 * @property {Rgb[]} colours        of the classes
 * @property {Rgb} ink
 * @property {number} scale         sizes follow the panel: 1 at 300 pixels
 * @property {Set<number>|null} chosen   classes in focus; null: all
 * @property {number[]|null} caps   half-angle of each class's cap, radians
 * @property {(Vec3|null)[]|null} ghost  the ideal configuration, turned onto the centres
 * @property {number|null} mark     index of the point to ring
 * @property {number[]|null} near   indices of its nearest samples
 * @property {[Vec3, Vec3][]|null} borders  of the classes' territories
 */

const ARC_PIECE = 0.09, CAP_RINGS = 4, CAP_SIDES = 28;

/** Everything of one panel except its points. @param {Batches} to @param {import("./runs.js").Run} run @param {number} k @param {Look} look */
export function addScene(to, run, k, look) {
  const { layers, colours, scale } = look;
  const header = run.frame?.header;
  if (!header) return;
  const centres = run.marksAt("centres", k);
  const faded = (/** @type {number} */ c) => (look.chosen && !look.chosen.has(c) ? 0.15 : 1);
  if (layers.caps && look.caps)
    centres.forEach((m, c) => m && look.caps?.[c] && addCap(to, normalize(m), look.caps[c], colours[c], faded(c)));
  look.borders?.forEach(([a, b]) => stroke(to.lines, a, b, look.ink, 0.5, 1));
  if (layers.trails) addTrails(to.lines, run, centres, colours, faded, scale);
  if (layers.ghost && look.ghost) addGhost(to, look.ghost, centres, look);
  if (layers.targets) addTargets(to, run.marksAt("targets", k), header.target_index, centres, look, faded);
  if (layers.prototypes)
    run.marksAt("prototypes", k).forEach((p, c) => p && sign(to.signs, onSphere(p, header), colours[c] ?? look.ink, faded(c), 4.6 * scale, SHAPE.SQUARE));
  if (layers.classifier)
    run.marksAt("classifier", k).forEach((p, c) => p && sign(to.signs, onSphere(p, header), colours[c] ?? look.ink, faded(c), 4.8 * scale, SHAPE.TRIANGLE));
  if (layers.centres)
    centres.forEach((m, c) => m && sign(to.signs, m, colours[c], faded(c), 6.4 * scale, SHAPE.RING));
  if (look.mark === null || look.mark >= header.n) return;
  const marked = run.pointAt(look.mark, k);
  look.near?.forEach((i) => i < header.n && arc(to.lines, marked, run.pointAt(i, k), look.ink, 0.8, 1.2));
  sign(to.signs, marked, look.ink, 1, 8.5 * scale, SHAPE.HALO);
}

/** Directions are drawn on the sphere itself; in a projection their length says how much of them is seen.
 * @param {Vec3} p @param {import("./types.js").FrameHeader} header */
const onSphere = (p, header) => (header.projection || length(p) < 1e-6 ? p : normalize(p));

/** @param {import("./gl.js").Batch} signs @param {Vec3} p @param {Rgb} c @param {number} alpha @param {number} size @param {number} shape */
function sign(signs, p, c, alpha, size, shape) {
  signs.push(p[0], p[1], p[2], c[0], c[1], c[2], alpha, size, shape);
}

/** @param {import("./gl.js").Batch} lines @param {Vec3} a @param {Vec3} b @param {Rgb} c @param {number} alpha @param {number} width
 * @param {number} [s] @param {number} [t] positions along a dashed line, in dashes; below 0: no dashes */
function stroke(lines, a, b, c, alpha, width, s = -1, t = -1) {
  lines.push(a[0], a[1], a[2], b[0], b[1], b[2], c[0], c[1], c[2], alpha, width, s, t);
}

/** Along the great circle between two places. @param {import("./gl.js").Batch} lines @param {Vec3} a @param {Vec3} b @param {Rgb} c
 * @param {number} alpha @param {number} width @param {number} [dashes] per radian; 0: none */
function arc(lines, a, b, c, alpha, width, dashes = 0) {
  const cosine = dot(a, b) / (length(a) * length(b) || 1), angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const pieces = Math.max(1, Math.ceil(angle / ARC_PIECE));
  let p = a;
  for (let i = 1; i <= pieces; i++) {
    const q = i === pieces ? b : slerp(a, b, i / pieces);
    if (dashes) stroke(lines, p, q, c, alpha, width, (angle * dashes * (i - 1)) / pieces, (angle * dashes * i) / pieces);
    else stroke(lines, p, q, c, alpha, width);
    p = q;
  }
}

/** Diamonds, and an arc from each centre to the target that is its own.
 * @param {Batches} to @param {(Vec3|null)[]} targets @param {number[]|null} index @param {(Vec3|null)[]} centres
 * @param {Look} look @param {(c: number) => number} faded */
function addTargets(to, targets, index, centres, look, faded) {
  /** @type {Map<number, number>} */
  const owner = new Map((index ?? []).map((t, c) => [t, c]));
  targets.forEach((p, t) => {
    if (!p) return;
    const c = owner.get(t), mine = c === undefined ? look.ink : look.colours[c], alpha = c === undefined ? 0.6 : faded(c);
    const m = c === undefined ? null : centres[c];
    if (m) arc(to.lines, m, p, mine, 0.85 * alpha, 1.5);
    sign(to.signs, p, mine, alpha, 5.6 * look.scale, SHAPE.DIAMOND);
  });
}

/** The cone that holds most of a class: a faint fill with a line. @param {Batches} to @param {Vec3} m @param {number} angle
 * @param {Rgb} c @param {number} alpha */
function addCap(to, m, angle, c, alpha) {
  const u = normalize(cross(m, Math.abs(m[1]) < 0.9 ? [0, 1, 0] : [1, 0, 0])), v = cross(m, u);
  /** @param {number} r @param {number} s @returns {Vec3} */
  const at = (r, s) => {
    const t = (s / CAP_SIDES) * 2 * Math.PI, x = Math.sin(r) * Math.cos(t), y = Math.sin(r) * Math.sin(t), z = Math.cos(r);
    const along = (/** @type {number} */ i) => 1.002 * (m[i] * z + u[i] * x + v[i] * y);
    return [along(0), along(1), along(2)];
  };
  const put = (/** @type {Vec3} */ p) => to.patches.push(p[0], p[1], p[2], c[0], c[1], c[2], 0.12 * alpha);
  for (let s = 0; s < CAP_SIDES; s++) {
    for (let i = 0; i < CAP_RINGS; i++) {
      const low = (angle * i) / CAP_RINGS, high = (angle * (i + 1)) / CAP_RINGS;
      const p = at(low, s), q = at(high, s), r = at(high, s + 1), t = at(low, s + 1);
      [p, q, r].forEach(put);
      if (i) [p, r, t].forEach(put);
    }
    stroke(to.lines, at(angle, s), at(angle, s + 1), c, 0.75 * alpha, 1.2);
  }
}

/** Where the centres have been, older parts fainter. @param {import("./gl.js").Batch} lines @param {import("./runs.js").Run} run
 * @param {(Vec3|null)[]} centres @param {Rgb[]} colours @param {(c: number) => number} faded @param {number} scale */
function addTrails(lines, run, centres, colours, faded, scale) {
  const past = run.history.slice(0, -1), steps = past.length;
  centres.forEach((now, c) => {
    for (let i = 0; i < steps; i++) {
      const a = past[i][c], b = i + 1 < steps ? past[i + 1][c] : now;
      if (a && b) stroke(lines, a, b, colours[c], (0.9 * faded(c) * (i + 1)) / steps, 0.8 + (1.8 * scale * (i + 1)) / steps);
    }
  });
}

/** The ideal, dashed, and the way each centre still has to go. @param {Batches} to @param {(Vec3|null)[]} ghost
 * @param {(Vec3|null)[]} centres @param {Look} look */
function addGhost(to, ghost, centres, look) {
  const near = nearestNeighbours(ghost);
  for (const [a, b] of near) stroke(to.lines, /** @type {Vec3} */ (ghost[a]), /** @type {Vec3} */ (ghost[b]), look.ink, 0.42, 1.1, 0, 14 * chord(ghost[a], ghost[b]));
  ghost.forEach((p, c) => {
    if (!p) return;
    const m = centres[c];
    if (m) arc(to.lines, m, p, look.ink, 0.5, 1);
    sign(to.signs, p, look.ink, 0.75, 2.4 * look.scale, SHAPE.DOT);
  });
}

/** @param {Vec3|null} a @param {Vec3|null} b */
const chord = (a, b) => (a && b ? Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) : 0);

/** Edges of the figure: pairs hardly further apart than the nearest. @param {(Vec3|null)[]} points @returns {[number, number][]} */
function nearestNeighbours(points) {
  /** @type {[number, number, number][]} */
  const pairs = [];
  points.forEach((a, i) => points.forEach((b, j) => i < j && a && b && pairs.push([i, j, chord(a, b)])));
  const least = Math.min(...pairs.map((p) => p[2]));
  return pairs.filter((p) => p[2] < least * 1.22).map(([i, j]) => [i, j]);
}
