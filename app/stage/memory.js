/** What a reload of the tab brings back: the camera. */

/** @param {string} view @returns {Partial<import("./types.js").Pose>} empty where nothing, or nothing usable, is kept */
export function recallPose(view) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(`ltviz.${view}.camera`) ?? "{}");
    return [kept.yaw, kept.pitch, kept.distance].every(Number.isFinite) ? kept : {};
  } catch {
    // A browser that forbids storage, or a damaged entry: the camera starts at home, and nothing else is lost.
    return {};
  }
}

/** @param {string} view @param {import("./types.js").Pose} pose */
export function keepPose(view, pose) {
  try {
    sessionStorage.setItem(`ltviz.${view}.camera`, JSON.stringify(pose));
  } catch {
    // As above.
  }
}
