/** What a reload of the tab brings back: the cameras. */

/** @typedef {import("./types.js").Pose} Pose */
/** @typedef {import("../scene/cameras.js").KeptCameras} KeptCameras */

/** @param {any} pose @returns {pose is Pose} */
const isPose = (pose) => [pose?.yaw, pose?.pitch, pose?.distance].every(Number.isFinite);

/** @param {string} view @returns {KeptCameras} at home where nothing, or nothing usable, is kept */
export function recallCameras(view) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(`ltviz.${view}.camera`) ?? "{}");
    const poses = Object.entries(kept.poses ?? {}).filter(([, pose]) => isPose(pose));
    return { pose: isPose(kept.pose) ? kept.pose : {}, free: kept.free === true, poses: Object.fromEntries(poses) };
  } catch {
    // A browser that forbids storage, or a damaged entry: the cameras start at home, and nothing else is lost.
    return { pose: {}, free: false, poses: {} };
  }
}

/** @param {string} view @param {KeptCameras} cameras */
export function keepCameras(view, cameras) {
  try {
    sessionStorage.setItem(`ltviz.${view}.camera`, JSON.stringify(cameras));
  } catch {
    // As above.
  }
}
