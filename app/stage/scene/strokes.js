/** What a scene is drawn with: lines, arcs, arrows, signs and caps, as numbers for the batches. Pure. */
import { cross, dot, length, normalize, slerp } from "../common/vectors.js";

/** @typedef {import("../common/types.js").Vec3} Vec3 */
/** @typedef {import("./colours.js").Rgb} Rgb */
/**
 * @typedef {{push: (...values: number[]) => void}} Sheet takes all fields of one item, in order: a `Batch`, or a list
 */
/**
 * In the order in which they are drawn; points come between the mists and the lines, so that what fills, divides or
 * surrounds lies under them.
 * @typedef {{patches: Sheet, ground: Sheet, mists: Sheet, lines: Sheet, signs: Sheet}} Sheets fills; lines; soft signs;
 * lines; signs
 */
/** @type {(keyof Sheets)[]} */
export const SHEETS = ["patches", "ground", "mists", "lines", "signs"];

const ARC_PIECE = 0.12,
  CAP_RINGS = 4,
  CAP_SIDES = 28;
/** Barbs of an arrow: length in radians of the sphere, and how far they spread. */
const BARB = 0.052,
  BARB_SPREAD = 0.5;

/**
 * @param {Sheet} signs @param {Vec3} p @param {Rgb} c @param {number} alpha @param {number} size
 * @param {number} shape one of SHAPE
 */
export function sign(signs, p, c, alpha, size, shape) {
  signs.push(p[0], p[1], p[2], c[0], c[1], c[2], alpha, size, shape);
}

/**
 * @param {Sheet} lines @param {Vec3} a @param {Vec3} b @param {Rgb} c @param {number} alpha
 * @param {number} width CSS pixels; negative: with a border in the colour of the page
 * @param {number} [s] @param {number} [t] positions along a dashed line, in dashes; below 0: no dashes */
export function stroke(lines, a, b, c, alpha, width, s = -1, t = -1) {
  lines.push(a[0], a[1], a[2], b[0], b[1], b[2], c[0], c[1], c[2], alpha, width, s, t);
}

/** Along the great circle between two places. @param {Sheet} lines @param {Vec3} a @param {Vec3} b @param {Rgb} c
 * @param {number} alpha @param {number} width as in `stroke` @param {number} [dashes] per radian; 0: none */
export function arc(lines, a, b, c, alpha, width, dashes = 0) {
  const cosine = dot(a, b) / (length(a) * length(b) || 1),
    angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const pieces = Math.max(1, Math.ceil(angle / ARC_PIECE)),
    beat = (angle * dashes) / pieces;
  let p = a;
  for (let i = 1; i <= pieces; i++) {
    const q = i === pieces ? b : slerp(a, b, i / pieces);
    stroke(lines, p, q, c, alpha, width, dashes ? beat * (i - 1) : -1, dashes ? beat * i : -1);
    p = q;
  }
}

/** The two barbs at the end of a way, lying on the sphere. @param {Vec3} a where it comes from @param {Vec3} b its end
 * @returns {Vec3[]} outer ends of the barbs; none where the way has no direction */
export function barbs(a, b) {
  const back = [a[0] - b[0], a[1] - b[1], a[2] - b[2]],
    far = length(back),
    out = length(b);
  if (far < 1e-6 || out < 1e-6) return [];
  const along = normalize(back),
    side = normalize(cross(b, along)),
    reach = Math.min(BARB, 1.5 * far);
  return [-BARB_SPREAD, BARB_SPREAD].map((k) => {
    const p = /** @type {Vec3} */ ([0, 1, 2].map((i) => b[i] + reach * (along[i] + k * side[i])));
    const scale = out / (length(p) || 1);
    return [p[0] * scale, p[1] * scale, p[2] * scale];
  });
}

/**
 * An arc with a head at its end. @param {Sheet} lines @param {Vec3} a @param {Vec3} b @param {Rgb} c
 * @param {number} alpha
 * @param {number} width @param {number} [dashes] per radian; 0: none */
export function arrow(lines, a, b, c, alpha, width, dashes = 0) {
  arc(lines, a, b, c, alpha, width, dashes);
  // On a long arc only its last part says where the head points.
  for (const p of barbs(slerp(a, b, 0.7), b)) stroke(lines, b, p, c, alpha, width);
}

/**
 * A cone around a direction: a faint fill with a line, both under the points. @param {Sheets} to @param {Vec3} m unit
 * @param {number} angle half-angle, radians
 * @param {Rgb} c @param {number} alpha @param {number} fill of the inside
 * @param {number} [dashes] per radian of its rim; 0: none
 */
export function cap(to, m, angle, c, alpha, fill, dashes = 0) {
  const u = normalize(cross(m, Math.abs(m[1]) < 0.9 ? [0, 1, 0] : [1, 0, 0])),
    v = cross(m, u);
  /** @param {number} r @param {number} s @returns {Vec3} */
  const at = (r, s) => {
    const t = (s / CAP_SIDES) * 2 * Math.PI,
      x = Math.sin(r) * Math.cos(t),
      y = Math.sin(r) * Math.sin(t),
      z = Math.cos(r);
    const along = (/** @type {number} */ i) => 1.002 * (m[i] * z + u[i] * x + v[i] * y);
    return [along(0), along(1), along(2)];
  };
  const put = (/** @type {Vec3} */ p) => to.patches.push(p[0], p[1], p[2], c[0], c[1], c[2], fill * alpha);
  const beat = (2 * Math.PI * Math.sin(angle) * dashes) / CAP_SIDES;
  for (let s = 0; s < CAP_SIDES; s++) {
    for (let i = 0; i < CAP_RINGS; i++) {
      const low = (angle * i) / CAP_RINGS,
        high = (angle * (i + 1)) / CAP_RINGS;
      const p = at(low, s),
        q = at(high, s),
        r = at(high, s + 1),
        t = at(low, s + 1);
      [p, q, r].forEach(put);
      if (i) [p, r, t].forEach(put);
    }
    stroke(
      to.ground,
      at(angle, s),
      at(angle, s + 1),
      c,
      0.75 * alpha,
      1.2,
      ...(dashes ? [s * beat, (s + 1) * beat] : []),
    );
  }
}

/** A place of a typed array on the scale of the sphere. @param {Int16Array} xyz @param {number} i @returns {Vec3} */
export const placeAt = (xyz, i) => [xyz[3 * i] / 32767, xyz[3 * i + 1] / 32767, xyz[3 * i + 2] / 32767];
