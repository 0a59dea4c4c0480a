/** One camera for all panels: a turntable around the sphere. It moves when a person moves it, and never else. */
import { easeInOut, multiply } from "../common/vectors.js";

/** @typedef {import("../common/types.js").Pose} Pose */

/** @type {Readonly<Pose>} */
export const HOME = Object.freeze({ yaw: 0.6, pitch: 0.35, distance: 4 });
/** The eye stays outside the sphere and near enough to see it. */
export const NEAREST = 1.35;
export const FARTHEST = 9;
const STEEPEST = Math.PI / 2 - 0.02;
export const MOVE_MS = 300;
const KEY_TURN = 0.12,
  KEY_ZOOM = 1.15;

/** The sphere's outline takes this share of a view's smaller half at the home distance. */
const FILL = 0.86;
const FOCAL = FILL * Math.sqrt(HOME.distance ** 2 - 1);

/** @param {Pose} p @returns {Pose} within what the camera may do */
export function clampPose({ yaw, pitch, distance }) {
  return {
    yaw,
    pitch: Math.min(STEEPEST, Math.max(-STEEPEST, pitch)),
    distance: Math.min(FARTHEST, Math.max(NEAREST, distance)),
  };
}

/**
 * The turn that brings a direction to the front. @param {ArrayLike<number>} v @returns {{yaw: number, pitch: number}}
 */
export function poseToward(v) {
  return { yaw: Math.atan2(-v[0], v[2]), pitch: Math.atan2(v[1], Math.hypot(v[0], v[2])) };
}

/** @param {Pose} pose @returns {Float32Array} rotation then retreat, 4x4 column-major */
export function viewMatrix({ yaw, pitch, distance }) {
  const cy = Math.cos(yaw),
    sy = Math.sin(yaw),
    cp = Math.cos(pitch),
    sp = Math.sin(pitch);
  // Rx(pitch) Ry(yaw), then the centre goes `distance` away.
  return new Float32Array([cy, sp * sy, -cp * sy, 0, 0, cp, sp, 0, sy, -sp * cy, cp * cy, 0, 0, 0, -distance, 1]);
}

/**
 * Focal lengths of a view, so that the sphere stays round and inside the smaller side. @param {number} w
 * @param {number} h
 */
export function focal(w, h) {
  const side = Math.min(w, h);
  return { x: (FOCAL * side) / Math.max(1, w), y: (FOCAL * side) / Math.max(1, h) };
}

/** @param {Pose} pose @param {number} w @param {number} h @returns {Float32Array} view-projection, 4x4 */
export function viewProjection(pose, w, h) {
  const f = focal(w, h),
    near = Math.max(0.05, pose.distance - 1.3),
    far = pose.distance + 1.3;
  const p = new Float32Array(16);
  p[0] = f.x;
  p[5] = f.y;
  p[10] = (far + near) / (near - far);
  p[11] = -1;
  p[14] = (2 * far * near) / (near - far);
  return multiply(p, viewMatrix(pose));
}

/** Radius of the sphere's outline in pixels of a w x h view. @param {Pose} pose @param {number} w @param {number} h */
export function outlineRadius(pose, w, h) {
  return (FOCAL * Math.min(w, h)) / 2 / Math.sqrt(pose.distance ** 2 - 1);
}

/** What a key does to the camera. @param {string} key @param {Pose} pose @returns {Partial<Pose>|null} */
export function poseOfKey(key, { yaw, pitch, distance }) {
  /** @type {Record<string, Partial<Pose>>} */
  const moves = {
    ArrowLeft: { yaw: yaw - KEY_TURN },
    ArrowRight: { yaw: yaw + KEY_TURN },
    ArrowUp: { pitch: pitch - KEY_TURN },
    ArrowDown: { pitch: pitch + KEY_TURN },
    "+": { distance: distance / KEY_ZOOM },
    "=": { distance: distance / KEY_ZOOM },
    "-": { distance: distance * KEY_ZOOM },
    Home: HOME,
  };
  return moves[key] ?? null;
}

/**
 * A smooth way through some poses (Catmull-Rom). @param {Pose[]} way @param {number} t 0 to 1 @returns {Pose}
 */
export function along(way, t) {
  const last = way.length - 1,
    i = Math.min(last - 1, Math.floor(t * last)),
    u = t * last - i;
  const [a, b, c, d] = [i - 1, i, i + 1, i + 2].map((at) => way[Math.min(last, Math.max(0, at))]);
  const through = (/** @type {(pose: Pose) => number} */ of) => {
    const [p, q, r, s] = [a, b, c, d].map(of);
    return q + (u / 2) * (r - p + u * (2 * p - 5 * q + 4 * r - s + u * (3 * (q - r) + s - p)));
  };
  const yaw = through((pose) => pose.yaw),
    pitch = through((pose) => pose.pitch);
  return { yaw, pitch, distance: Math.exp(through((pose) => Math.log(pose.distance))) };
}

export class Camera {
  /** @param {Partial<Pose>} [start] */
  constructor(start = {}) {
    /** @type {Pose} */
    this.pose = clampPose({ ...HOME, ...start });
    /** @type {{from: Pose, to: Pose, start: number, ms: number, way?: Pose[]}|null} way: poses between, and both ends */
    this.move = null;
  }

  /**
   * Turns and zooms at once, as a hand does. @param {number} yaw @param {number} pitch @param {number} [zoom] factor
   */
  nudge(yaw, pitch, zoom = 1) {
    this.move = null;
    const p = this.pose;
    this.pose = clampPose({ yaw: p.yaw + yaw, pitch: p.pitch + pitch, distance: p.distance * zoom });
  }

  /** @param {Partial<Pose>} to @param {number} now ms @param {number} ms 0 = at once (reduced motion) */
  moveTo(to, now, ms = MOVE_MS) {
    const goal = clampPose({ ...this.goal, ...to });
    // The short way round.
    const turn = 2 * Math.PI;
    goal.yaw = this.pose.yaw + ((((goal.yaw - this.pose.yaw + Math.PI) % turn) + turn) % turn) - Math.PI;
    if (ms <= 0) {
      this.move = null;
      this.pose = goal;
    } else this.move = { from: { ...this.pose }, to: goal, start: now, ms };
  }

  /** From the first pose over all others to the last. @param {Pose[]} poses @param {number} now ms @param {number} ms */
  moveAlong(poses, now, ms) {
    const way = poses.map(clampPose),
      to = way[way.length - 1];
    this.pose = way[0];
    this.move = { from: way[0], to, start: now, ms, way };
  }

  /** Stands somewhere at once, whatever was under way. @param {Pose} pose */
  place(pose) {
    this.move = null;
    this.pose = clampPose(pose);
  }

  /** Where the camera is going, or is. @returns {Pose} */
  get goal() {
    return this.move ? this.move.to : this.pose;
  }

  /** Advances a move. @param {number} now ms @returns {boolean} whether the pose changed */
  step(now) {
    if (!this.move) return false;
    const { from, to, start, ms, way } = this.move;
    const t = Math.min(1, Math.max(0, (now - start) / ms)),
      k = easeInOut(t);
    if (way) this.pose = clampPose(along(way, k));
    else
      this.pose = {
        yaw: from.yaw + (to.yaw - from.yaw) * k,
        pitch: from.pitch + (to.pitch - from.pitch) * k,
        distance: from.distance * (to.distance / from.distance) ** k,
      };
    if (t >= 1) this.move = null;
    return true;
  }
}
