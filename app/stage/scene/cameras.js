/** From where each panel is seen: through one camera that all share, or each through its own. */
import { Camera, MOVE_MS } from "./camera.js";
import { wantsCalm } from "../common/theme.js";

/** @typedef {import("../common/types.js").Pose} Pose */
/** @typedef {{pose: Partial<Pose>, free: boolean, poses: Record<string, Pose>}} KeptCameras */

const SPIN_PER_MS = 0.00018;

export class Cameras {
  /** @param {KeptCameras} kept @param {(kept: KeptCameras) => void} keep told whenever a person has moved a camera */
  constructor(kept, keep) {
    this.shared = new Camera(kept.pose);
    this.keep = keep;
    this.free = kept.free;
    /** @type {Map<string, Camera>} by panel, where they are free */
    this.own = new Map(Object.entries(kept.poses).map(([id, pose]) => [id, new Camera(pose)]));
    /** @type {string[]} panels on screen */
    this.panels = [];
    /** @type {string|null} the panel last touched: where cameras are free, keys and menus mean this one */
    this.touched = null;
    this.spinning = false;
  }

  /** @param {string} id of a panel @returns {Camera} */
  of(id) {
    if (!this.free) return this.shared;
    let camera = this.own.get(id);
    if (!camera) this.own.set(id, (camera = new Camera(this.shared.goal)));
    return camera;
  }

  /** The panel that keys and menus mean: null where all share one camera. @returns {string|null} */
  get focus() {
    if (!this.free) return null;
    return this.touched !== null && this.panels.includes(this.touched) ? this.touched : (this.panels[0] ?? null);
  }

  /** The camera that keys and menus move. @returns {Camera} */
  get active() {
    const { focus } = this;
    return focus === null ? this.shared : this.of(focus);
  }

  /** Every camera that something on screen is seen through. @returns {Camera[]} */
  get inUse() {
    return this.free ? this.panels.map((id) => this.of(id)) : [this.shared];
  }

  /** Each starts from where all were; back together, all go where the touched one is. @param {boolean} free */
  setFree(free) {
    if (free === this.free) return;
    const from = this.active.goal;
    this.own.clear();
    this.free = free;
    this.shared = new Camera(from);
    this.remember();
  }

  /** Stands there from the start, as a link asks: one camera for all. @param {Pose} pose */
  open(pose) {
    this.free = false;
    this.own.clear();
    this.shared.place(pose);
  }

  /**
   * A hand turns or zooms the active camera. @param {number} yaw @param {number} pitch @param {number} [zoom] factor
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
   * Advances moves under way and the slow turn. @param {number} now ms @param {number} gap ms since the last picture
   * @returns {boolean} whether any pose changed
   */
  step(now, gap) {
    const flew = this.inUse.map((camera) => camera.step(now)).some(Boolean);
    if (!this.spinning) return flew;
    // A flight goes on undisturbed; the turn takes over where it ends.
    for (const camera of this.inUse) if (!camera.move) camera.nudge(Math.min(100, gap) * SPIN_PER_MS, 0);
    return true;
  }

  /** Whether another picture is wanted without anybody asking. */
  get moving() {
    return this.spinning || this.inUse.some((camera) => camera.move);
  }

  /** @param {string} id a panel that is gone for good */
  forget(id) {
    this.own.delete(id);
  }

  remember() {
    const poses = Object.fromEntries([...this.own].map(([id, camera]) => [id, camera.goal]));
    this.keep({ pose: this.shared.goal, free: this.free, poses: this.free ? poses : {} });
  }
}
