/** What a reload of the tab brings back: the cameras. */

/** @typedef {import("./types.js").Pose} Pose */
/** @typedef {{pose: Partial<Pose>, free: boolean, poses: Readonly<Record<string, Pose>>}} KeptCameras */

/** @param {any} pose @returns {pose is Pose} */
const isPose = (pose) => [pose?.yaw, pose?.pitch, pose?.distance].every(Number.isFinite);

/**
 * @param {string} stage its name on the page @returns {KeptCameras} at home where nothing, or nothing usable, is kept
 */
export function recallCameras(stage) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(`ltviz.${stage}.camera`) ?? "{}");
    const poses = Object.entries(kept.poses ?? {}).filter(([, pose]) => isPose(pose));
    return { pose: isPose(kept.pose) ? kept.pose : {}, free: kept.free === true, poses: Object.fromEntries(poses) };
  } catch {
    // A browser that forbids storage, or a damaged entry: the cameras start at home, and nothing else is lost.
    return { pose: {}, free: false, poses: {} };
  }
}

/** @param {string} stage @param {KeptCameras} cameras */
export function keepCameras(stage, { pose, free, poses }) {
  try {
    sessionStorage.setItem(`ltviz.${stage}.camera`, JSON.stringify({ pose, free, poses }));
  } catch {
    // As above.
  }
}
