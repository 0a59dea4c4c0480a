/** A stage on somebody else's page, fed by what that page is sent: what it shows can be told, and set, in plain values. */
import { Stage } from "./assembly.js";
import { alike } from "./scene/choices.js";
import { clampPose } from "./scene/camera.js";
import { isOn } from "./layers/layer.js";
import { layersOf } from "./layers/list.js";
import { publishTelemetry } from "./common/telemetry.js";
import { ReplaySource } from "./incoming/replay.js";

/**
 * @typedef {object} Seen   what the stage shows
 * @property {number|null} step        the one held; while time moves, the newest on screen; null: none is
 * @property {boolean} moving          time moves by itself
 * @property {number[]} selection      ids of the selected samples, sorted
 * @property {import("./common/types.js").Pose} camera
 * @property {Record<string, boolean>} layers  which are on
 */

const LOOK_MS = 150,
  /** How often a step is told that will be another one at once. */
  MOVING_MS = 1000;

export class Guest {
  /**
   * @param {import("./common/types.js").StageData} data @param {import("./incoming/tracks.js").Tracks} tracks
   * @param {(changed: Partial<Seen>) => void} [onSeen] told what is seen, at first and when it is something else
   */
  constructor(data, tracks, onSeen = () => {}) {
    this.telemetry = publishTelemetry();
    this.stage = new Stage(data, this.telemetry, (options) => new ReplaySource(tracks, options));
    // JupyterLab has shortcuts of its own on the keys of the stage: A makes a cell, D D deletes one. It leaves out the
    // element that has the focus where that says so itself.
    this.stage.root.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLElement) target.dataset.lmSuppressShortcuts = "true";
    });
    this.onSeen = onSeen;
    /** @type {Partial<Seen>} */
    this.told = {};
    this.stepTold = 0;
    /** @type {ReturnType<typeof setInterval>|undefined} */
    this.watch = undefined;
  }

  /** @param {ParentNode & Node} place */
  attach(place) {
    this.telemetry.mounts++;
    this.stage.attach(place);
    clearInterval(this.watch);
    this.watch = setInterval(() => this.tell(), LOOK_MS);
  }

  detach() {
    clearInterval(this.watch);
    this.stage.detach();
  }

  /** @returns {Seen} */
  get seen() {
    const { timeline, shown, choices, cameras } = this.stage;
    const steps = shown.flatMap((run) => run.frame?.header.step ?? []);
    return {
      step: timeline.held ?? (steps.length ? Math.max(...steps) : null),
      moving: timeline.mode !== "hold",
      selection: [...(choices.now.selected ?? [])].sort((a, b) => a - b),
      camera: { ...cameras.active.goal },
      layers: Object.fromEntries(layersOf(shown).map((layer) => [layer.key, isOn(layer, choices.now.layers)])),
    };
  }

  tell() {
    const { seen } = this,
      now = performance.now();
    if (seen.moving && this.told.moving && now < this.stepTold + MOVING_MS) seen.step = this.told.step ?? null;
    const names = /** @type {(keyof Seen)[]} */ (Object.keys(seen)).filter(
      (name) => !alike(seen[name], this.told[name]),
    );
    if (!names.length) return;
    if (names.includes("step")) this.stepTold = now;
    this.told = seen;
    this.onSeen(Object.fromEntries(names.map((name) => [name, seen[name]])));
  }

  /**
   * Shows what is wished, as far as that can be; what came of it is told.
   * @param {{step?: number|null, selection?: number[], camera?: Partial<import("./common/types.js").Pose>, layers?:
   * Record<string, boolean>}} wish step null: time moves by itself; layers that are not named stay as they are
   */
  show(wish) {
    const { timeline, choices, cameras } = this.stage;
    Object.assign(this.told, wish);
    if (wish.step === null) timeline.goLive();
    else if (wish.step !== undefined) timeline.hold(wish.step);
    if (wish.selection) choices.set({ selected: wish.selection.length ? new Set(wish.selection) : null });
    if (wish.layers) choices.set({ layers: { ...choices.now.layers, ...wish.layers } });
    if (!wish.camera) return;
    const pose = { ...cameras.active.goal, ...wish.camera };
    if ([pose.yaw, pose.pitch, pose.distance].every(Number.isFinite)) cameras.open(clampPose(pose));
  }
}
