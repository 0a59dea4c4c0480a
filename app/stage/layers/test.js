/** Samples that are never trained on. */

/** @type {import("./layer.js").Layer} see `pointFlags` */
export const test = {
  key: "test",
  title: "Test samples",
  hint: "Discs with a light core",
  on: true,
  sign: (runs) =>
    // Nothing is known of a run before it is here; then it may have none.
    runs.some((run) => !run.info || run.splits.has(1))
      ? {
          word: "test",
          text: "A test sample: it was never trained on.",
          path: "M8 4.2a3.8 3.8 0 1 0 .01 0zM8 5.6a2.4 2.4 0 1 1-.01 0z",
          filled: true,
        }
      : null,
};
