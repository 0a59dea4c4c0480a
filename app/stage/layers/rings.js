/** Rings around samples of several classes. */

/** @type {import("./layer.js").Layer} see `ringPieces` */
export const rings = {
  key: "rings",
  title: "Several labels",
  hint: "A ring around samples of several classes, a piece in the colour of each",
  on: true,
  sign: (runs) =>
    runs.some((run) => run.info?.labelSets)
      ? {
          word: "several labels",
          text: "A ring around a sample of several classes has a piece in the colour of each, the four rarest at most.",
          path:
            "M8 3.2a4.8 4.8 0 0 1 4.2 7.1M10.6 12.1A4.8 4.8 0 0 1 3.3 8.9M3.4 6.6A4.8 4.8 0 0 1 6 3.6" +
            "M8 6.6a1.4 1.4 0 1 0 .01 0z",
          filled: false,
        }
      : null,
};
