/** Takes the stage through time, picture by picture, for a film; afterwards time and cameras are as they were. */
import { Camera, MOVE_MS } from "../scene/camera.js";
import { lastAtMost } from "../incoming/steps.js";

/** @typedef {import("../common/types.js").Pose} Pose */
/** @typedef {"still"|"turn"|"flight"} CameraPath  one slow turn; a flight from a chosen view to the present one */

/** A frame that does not come in this time is left out; the film ends where so many in a row are missing. */
const PATIENCE_MS = 6000,
  MOST_MISSING = 3,
  LOOK_MS = 12;

/** @param {number[]} steps sorted @param {number} most @returns {number[]} evenly thinned, first and last kept */
export function thinSteps(steps, most) {
  if (steps.length <= most) return [...steps];
  if (most < 2) return steps.slice(-1);
  return Array.from({ length: most }, (_, i) => steps[Math.round((i * (steps.length - 1)) / (most - 1))]);
}

/**
 * @param {CameraPath} path @param {Pose} from @param {Pose} to the present view @param {number} i of the picture
 * @param {number} count @returns {Pose}
 */
export function poseOnPath(path, from, to, i, count) {
  // A film that is played again and again must not show the turn's start twice.
  if (path === "turn") return { ...to, yaw: to.yaw + (2 * Math.PI * i) / count };
  if (path === "still") return to;
  const camera = new Camera(from);
  camera.moveTo(to, 0, MOVE_MS);
  camera.step(count > 1 ? (MOVE_MS * i) / (count - 1) : MOVE_MS);
  return camera.pose;
}

/**
 * @typedef {{step: number, at: number}} Shot a step, and where on the camera's path it is taken: 0 for the first
 * picture of the film
 */

/**
 * @param {import("../view.js").StageView} stage
 * @param {{shots: Shot[], count: number, path: CameraPath, from: Pose, signal: AbortSignal}} take `count` pictures make
 * the whole path
 * @returns {AsyncGenerator<{index: number, now: number}>} whenever the stage is ready to be drawn for a shot; the
 * reader draws
 * @throws {Error} where frames stop coming, or the signal has been given
 */
export async function* film(stage, { shots, count, path, from, signal }) {
  const before = stage.picture.cameras.inUse.map((camera) => ({ camera, pose: { ...camera.pose } })),
    resume = interrupt(stage);
  let missing = 0;
  try {
    for (const [index, { step, at }] of shots.entries()) {
      missing = (await arrive(stage, step, signal)) ? 0 : missing + 1;
      if (missing >= MOST_MISSING)
        throw new Error(
          `The film stopped at step ${step}: its frames did not come within ${PATIENCE_MS / 1000} seconds; try again when the app answers.`,
        );
      if (missing) continue;
      for (const { camera, pose } of before) camera.place(poseOnPath(path, from, pose, at, count));
      yield { index, now: performance.now() };
    }
  } finally {
    for (const { camera, pose } of before) camera.place(pose);
    resume();
  }
}

/**
 * Stops the stage's own drawing and mirroring. @param {import("../view.js").StageView} stage
 * @returns {() => void} goes on as before
 */
function interrupt(stage) {
  const { timeline, loop, socket } = stage,
    { mode, held, shown } = timeline;
  loop.stop();
  stage.filming = true;
  return () => {
    if (mode === "hold") socket.send({ step: held });
    else socket.send(mode === "play" ? { play: true, from: shown } : { live: true });
    timeline.enter(mode, held);
    stage.filming = false;
    loop.start();
    stage.changed();
  };
}

/**
 * Holds the stage at a step until every panel shows it, at rest. @param {import("../view.js").StageView} stage
 * @param {number} step
 * @param {AbortSignal} signal @returns {Promise<boolean>} false: the frames did not come */
async function arrive(stage, step, signal) {
  const end = performance.now() + PATIENCE_MS;
  stage.socket.send({ step });
  const late = () =>
    stage.shown.some((run) => {
      const due = run.steps[lastAtMost(run.steps, step)],
        frame = run.pending ?? run.frame;
      return due !== undefined && frame?.header.step !== due;
    });
  while (late()) {
    signal.throwIfAborted();
    if (performance.now() > end) return false;
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  stage.loop.take(performance.now());
  for (const run of stage.shown) run.settle();
  return true;
}
