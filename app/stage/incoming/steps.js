/** Recorded steps as sorted arrays: merging, finding, walking. Pure. */

/** Index of the last step <= value, or -1. @param {number[]} steps sorted @param {number} value */
export function lastAtMost(steps, value) {
  let low = 0,
    high = steps.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (steps[mid] <= value) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/**
 * Adds steps to a sorted array in place; what is already there stays once. @param {number[]} steps
 * @param {number[]} added
 */
export function addSteps(steps, added) {
  for (const step of added) {
    if (!steps.length || step > steps[steps.length - 1]) steps.push(step);
    else {
      const at = lastAtMost(steps, step);
      if (steps[at] !== step) steps.splice(at + 1, 0, step);
    }
  }
  return steps;
}

/** @param {number[][]} lists sorted @returns {number[]} every step of any list, once, sorted */
export function unite(lists) {
  if (lists.length === 1) return lists[0];
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}

/**
 * The recorded step nearest to a value; the earlier one in the middle. @param {number[]} steps sorted
 * @param {number} value
 */
export function nearest(steps, value) {
  if (!steps.length) return null;
  const at = lastAtMost(steps, value);
  if (at < 0) return steps[0];
  if (at === steps.length - 1) return steps[at];
  return value - steps[at] <= steps[at + 1] - value ? steps[at] : steps[at + 1];
}

/**
 * The first step beyond a value, in one direction. @param {number[]} steps in any order @param {number} value
 * @param {1|-1} by
 */
export function beyond(steps, value, by) {
  const there = steps.filter((step) => (by > 0 ? step > value : step < value));
  return there.length ? (by > 0 ? Math.min(...there) : Math.max(...there)) : null;
}

/**
 * The step `by` frames further, stopped at the ends. @param {number[]} steps sorted @param {number} value
 * @param {number} by
 */
export function walk(steps, value, by) {
  if (!steps.length) return null;
  const at = lastAtMost(steps, value);
  const exact = at >= 0 && steps[at] === value;
  const to = exact || by > 0 ? at + by : at + 1 + by;
  return steps[Math.min(steps.length - 1, Math.max(0, to))];
}
