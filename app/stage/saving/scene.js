/** What the page wishes to be seen, such as a step of a lesson: it is set once, and what a person does then counts. */
import { alike, COLOUR_MODES, START } from "../scene/choices.js";
import { setAttribute } from "../common/dom.js";
import { Waiting } from "../choices/waiting.js";
import { HOME } from "../scene/camera.js";
import { readLink } from "./permalink.js";

/**
 * @typedef {object} SceneWish
 * @property {string} look       layers, colours, classes in focus and camera, as a link says them
 * @property {number|null} step  to hold; null: time moves by itself
 * @property {[number, number]|null} [play]  first and last step of what is played; until then the first is held
 * @property {number} turn       how often play was pressed
 * @property {[number, number, number][]|null} [path]  cameras to travel over now: yaw, pitch, distance
 * @property {number} [seconds]  how long
 */

/** @param {SceneWish|null} wish whether it says from where the spheres are seen */
const placed = (wish) => Boolean(wish?.path ?? wish?.look.includes("camera="));

export class SceneSetter {
  /** @param {import("../assembly.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.waiting = new Waiting(stage);
    /** @type {SceneWish|null} */
    this.now = null;
    /** To be played as soon as the stream takes it. @type {[number, number]|null} */
    this.cue = null;
    /** Where playing ends. @type {number|null} */
    this.end = null;
  }

  /** What the page wishes to be seen, to be done and to be told. @param {import("../common/types.js").StageData} data
   * @param {boolean} anew as in `set` */
  follow({ scene, wait, told = null, pointing }, anew) {
    const { canvas } = this.stage;
    // What the page sets now nobody has done.
    if (!alike(wait ?? null, this.waiting.deed)) this.waiting.set(null);
    this.set(scene, anew);
    this.waiting.set(wait);
    setAttribute(canvas, "aria-description", told);
    setAttribute(canvas, "data-pointing", pointing ? "true" : null);
  }

  /**
   * @param {SceneWish|null|undefined} wish @param {boolean} anew the stream is opened anew, for other runs: what is
   * asked of the old one is lost
   */
  set(wish, anew) {
    if (!wish || alike(wish, this.now)) return;
    const before = this.now;
    this.now = wish;
    if (wish.look !== before?.look) this.dress(wish.look, placed(before));
    if (wish.path && (!alike(wish.path, before?.path) || wish.turn !== before?.turn)) {
      const poses = wish.path.map(([yaw, pitch, distance]) => ({ yaw, pitch, distance }));
      this.stage.cameras.travel(poses, 1000 * (wish.seconds ?? 6));
    }
    const { timeline } = this.stage,
      { play = null } = wish;
    [this.cue, this.end] = [wish.turn ? play : null, null];
    const at = play ? play[0] : wish.step;
    if (at !== null) timeline.hold(at);
    else if (timeline.mode !== "follow") timeline.goLive();
    if (!anew) this.begin();
  }

  /** @param {string} look @param {boolean} away the camera stands where the page put it, and not the person */
  dress(look, away) {
    const { layers = {}, colourMode = COLOUR_MODES[0], chosen = null, forces = START.forces, pose } = readLink(look),
      { choices, cameras } = this.stage;
    choices.set({ layers, colourMode, chosen, forces, selected: null, solo: null });
    if (pose || away) cameras.fly({ ...HOME, ...pose });
  }

  begin() {
    const { cue, stage } = this;
    if (!cue || !stage.socket.send({ play: true, from: cue[0] })) return;
    [this.cue, this.end] = [null, cue[1]];
    stage.timeline.enter("play", null);
  }

  /** A frame has come: what waited for the stream begins, what has reached its end stays there. @param {number} step */
  arrived(step) {
    if (this.cue) return this.begin();
    if (this.end === null || this.stage.timeline.mode !== "play" || step < this.end) return;
    const end = this.end;
    this.end = null;
    this.stage.timeline.hold(end);
  }
}
