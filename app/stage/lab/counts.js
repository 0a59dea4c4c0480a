/** How many training samples each class has. Pure. */

/** @typedef {"exponential"|"step"|"own"} Profile */

export const HEAD = 1000;

/**
 * Counts from head to tail, as `exponential_counts` and `step_counts` of `ltviz.data.longtail` cut them.
 * @param {"exponential"|"step"} profile @param {number} classes @param {number} factor imbalance
 * @param {number} [head] samples of the first class
 */
export function countsOf(profile, classes, factor, head = HEAD) {
  return Array.from({ length: classes }, (_, c) => {
    if (profile === "step") return c < (Math.floor(classes / 2) || 1) ? head : Math.max(1, Math.floor(head / factor));
    return Math.max(1, Math.floor(head * factor ** (-c / Math.max(1, classes - 1))));
  });
}
