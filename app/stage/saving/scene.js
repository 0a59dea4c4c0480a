/** What the page wishes to be seen, such as a step of a lesson: it is set once, and what a person does then counts. */
import { alike, COLOUR_MODES } from "../scene/choices.js";
import { readLink } from "./permalink.js";

/**
 * @typedef {object} SceneWish
 * @property {string} look       layers, colours, classes in focus and camera, as a link says them
 * @property {number|null} step  to hold; null: time moves by itself
 * @property {[number, number]|null} [play]  first and last step of what is played; until then the first is held
 * @property {number} turn       how often play was pressed
 */

export class SceneSetter {
  /** @param {import("../assembly.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {SceneWish|null} */
    this.now = null;
    /** To be played as soon as the stream takes it. @type {[number, number]|null} */
    this.cue = null;
    /** Where playing ends. @type {number|null} */
    this.end = null;
  }

  /**
   * @param {SceneWish|null|undefined} wish @param {boolean} anew the stream is opened anew, for other runs: what is
   * asked of the old one is lost
   */
  set(wish, anew) {
    if (!wish || alike(wish, this.now)) return;
    const before = this.now;
    this.now = wish;
    if (wish.look !== before?.look) this.dress(wish.look);
    const { timeline } = this.stage,
      { play = null } = wish;
    [this.cue, this.end] = [wish.turn ? play : null, null];
    const at = play ? play[0] : wish.step;
    if (at !== null) timeline.hold(at);
    else if (timeline.mode !== "follow") timeline.goLive();
    if (!anew) this.begin();
  }

  /** @param {string} look */
  dress(look) {
    const { layers = {}, colourMode = COLOUR_MODES[0], chosen = null, pose } = readLink(look),
      { choices, cameras } = this.stage;
    choices.set({ layers, colourMode, chosen, selected: null, solo: null });
    if (pose) cameras.fly(pose);
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
