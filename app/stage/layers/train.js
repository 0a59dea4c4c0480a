/** Samples that are trained on. */
import { GLYPHS } from "./glyphs.js";

/** @type {import("./layer.js").Layer} see `pointFlags` */
export const train = {
  key: "train",
  title: "Training samples",
  hint: "Full discs",
  on: true,
  sign: () => ({ word: "training", text: "A training sample.", ...GLYPHS.disc }),
};
