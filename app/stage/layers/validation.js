/** Samples that are held back. */

/** @type {import("./layer.js").Layer} see `pointFlags` */
export const validation = {
  key: "validation",
  title: "Validation samples",
  hint: "Small squares",
  on: true,
  sign: (runs) =>
    runs.some((run) => run.splits.has(2))
      ? {
          word: "validation",
          text: "A sample held back from training, by which the best step may be chosen.",
          path: "M5.2 5.2h5.6v5.6H5.2z",
          filled: true,
        }
      : null,
};
