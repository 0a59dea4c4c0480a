/** The stage in a notebook: an anywidget. The model holds what has come, each view of it a stage. */
import { Guest } from "./guest.js";
import { Tracks } from "./incoming/tracks.js";

/**
 * @typedef {object} Model   as anywidget hands it over
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(message: object) => void} send
 * @property {(event: string, told: () => void) => void} on
 * @property {(event: string, told: () => void) => void} off
 */
/** @typedef {{tracks: Tracks, telling: boolean}} Held  telling: what changes in the model comes from one of its views */

const SEEN = /** @type {const} */ (["step", "selection", "camera", "layers"]);
const ASK_AGAIN_MS = 3000;

/** @type {WeakMap<Model, Held>} */
const models = new WeakMap();

/** @param {Model} model @returns {Held} */
function heldOf(model) {
  const known = models.get(model);
  if (known) return known;
  const held = { tracks: new Tracks(model.get("_data").runs), telling: false };
  models.set(model, held);
  let asked = -ASK_AGAIN_MS;
  const take = async () => {
    const parcel = model.get("_parcel");
    // What was sent before anybody listened here is gone; while the kernel is busy it answers late.
    if ((parcel.n && (await held.tracks.take(parcel))) || performance.now() < asked + ASK_AGAIN_MS) return;
    asked = performance.now();
    model.send({ have: held.tracks.n });
  };
  model.on("change:_parcel", take);
  take();
  return held;
}

/** @param {{model: Model}} given */
function initialize({ model }) {
  heldOf(model);
}

/** @param {{model: Model, el: HTMLElement}} given @returns {() => void} called when the view goes */
function render({ model, el }) {
  const held = heldOf(model);
  // A name that was never used: where the camera was is the model's to remember.
  const view = `widget-${Math.random().toString(36).slice(2)}`;
  const guest = new Guest({ ...model.get("_data"), view }, held.tracks, (changed) => {
    held.telling = true;
    // A step is told together with whether it stays.
    if ("step" in changed) model.set("_moving", guest.told.moving);
    for (const [name, value] of Object.entries(changed)) model.set(name === "moving" ? "_moving" : name, value);
    held.telling = false;
    model.save_changes();
  });
  const listen = SEEN.map((name) => {
    const told = () => {
      if (!held.telling) guest.show({ [name]: model.get(name) });
    };
    model.on(`change:${name}`, told);
    return () => model.off(`change:${name}`, told);
  });
  // As the model says, but for a step that was only passed.
  if (model.get("step") !== null && !model.get("_moving")) guest.show({ step: model.get("step") });
  guest.show({ selection: model.get("selection"), camera: model.get("camera"), layers: model.get("layers") });
  guest.attach(el);
  return () => {
    listen.forEach((end) => end());
    guest.detach();
  };
}

export default { initialize, render };
