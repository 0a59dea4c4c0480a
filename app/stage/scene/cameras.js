/**
 * From where each panel is seen: through one camera that all share, or each through its own. Where the cameras shall
 * stand is a choice; these take them there.
 */
import { Camera, MOVE_MS } from "./camera.js";
import { wantsCalm } from "../common/theme.js";

/** @typedef {import("../common/types.js").Pose} Pose */

const SPIN_PER_MS = 0.00018;

export class Cameras {
  /** @param {import("./choices.js").Choices} choices */
  constructor(choices) {
    this.choices = choices;
    const { pose, poses } = choices.now;
    this.shared = new Camera(pose);
    /** @type {Map<string, Camera>} by panel, where they are free */
    this.own = new Map(Object.entries(poses).map(([id, own]) => [id, new Camera(own)]));
    /** @type {string[]} panels on screen */
    this.panels = [];
  }

  /** @param {string} id of a panel @returns {Camera} */
  of(id) {
    if (!this.choices.now.free) return this.shared;
    let camera = this.own.get(id);
    if (!camera) this.own.set(id, (camera = new Camera(this.shared.goal)));
    return camera;
  }

  /** The panel that keys and menus mean: null where all share one camera. @returns {string|null} */
  get focus() {
    const { free, touched } = this.choices.now;
    if (!free) return null;
    return touched !== null && this.panels.includes(touched) ? touched : (this.panels[0] ?? null);
  }

  /** The camera that keys and menus move. @returns {Camera} */
  get active() {
    const { focus } = this;
    return focus === null ? this.shared : this.of(focus);
  }

  /** Every camera that something on screen is seen through. @returns {Camera[]} */
  get inUse() {
    return this.choices.now.free ? this.panels.map((id) => this.of(id)) : [this.shared];
  }

  /** Each starts from where all were; back together, all go where the touched one is. @param {boolean} free */
  setFree(free) {
    if (free === this.choices.now.free) return;
    this.shared = new Camera(this.active.goal);
    this.own.clear();
    this.remember({ free });
  }

  /** Stands there from the start, as a link asks: one camera for all. @param {Pose} pose */
  open(pose) {
    this.own.clear();
    this.shared.place(pose);
    this.remember({ free: false });
  }

  /**
   * A person's hand turns or zooms the active camera. @param {number} yaw @param {number} pitch
   * @param {number} [zoom] factor
   */
  nudge(yaw, pitch, zoom = 1) {
    this.active.nudge(yaw, pitch, zoom);
    this.remember();
  }

  /**
   * Moves one camera there, in view of the eye unless the person wants no motion. @param {Partial<Pose>} to
   * @param {number} [ms] @param {Camera} [camera]
   */
  fly(to, ms = MOVE_MS, camera = this.active) {
    camera.moveTo(to, performance.now(), wantsCalm() ? 0 : ms);
    this.remember();
  }

  /**
   * Travels over some poses, one after another; who wants no motion is at the last one at once. @param {Pose[]} poses
   * @param {number} ms
   */
  travel(poses, ms) {
    const camera = this.active,
      last = poses[poses.length - 1];
    if (wantsCalm()) camera.place(last);
    else camera.moveAlong(poses, performance.now(), ms);
    this.remember();
  }

  /**
   * Advances moves under way and the slow turn. @param {number} now ms @param {number} gap ms since the last picture
   * @returns {boolean} whether any pose changed
   */
  step(now, gap) {
    const flew = this.inUse.map((camera) => camera.step(now)).some(Boolean);
    if (!this.choices.now.spinning) return flew;
    // A flight goes on undisturbed; the turn takes over where it ends.
    for (const camera of this.inUse) if (!camera.move) camera.nudge(Math.min(100, gap) * SPIN_PER_MS, 0);
    return true;
  }

  /** Whether another picture is wanted without anybody asking. */
  get moving() {
    return this.choices.now.spinning || this.inUse.some((camera) => camera.move);
  }

  /** @param {string} id a panel that is gone for good */
  forget(id) {
    this.own.delete(id);
  }

  /** What a person did to the cameras becomes a choice. @param {{free?: boolean}} [also] */
  remember(also = {}) {
    const free = also.free ?? this.choices.now.free;
    const poses = free ? Object.fromEntries([...this.own].map(([id, camera]) => [id, camera.goal])) : {};
    this.choices.set({ ...also, pose: this.shared.goal, poses });
  }
}
