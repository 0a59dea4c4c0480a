/** The signs that a picture holds now, each with its name and its sentence: what the legend shows. Pure. */
import { otherLandmarks, cappedLandmarks, isItself } from "../scene/landmarks.js";
import { linkKind } from "../scene/links.js";
import { FORCE_WORDS } from "../words.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../choices/layers.js").Layers} Layers */
/** @typedef {{word: string, text: string, path: string, filled: boolean, quiet?: boolean}} Sign  quiet: there, but not drawn here */

export const DISC = "M8 4.2a3.8 3.8 0 1 0 .01 0z";
const RING = "M8 3.4a4.6 4.6 0 1 0 .01 0z",
  DIAMOND = "m8 3 5 5-5 5-5-5z";
const SQUARE = "M4.2 4.2h7.6v7.6H4.2z",
  TRIANGLE = "m8 3.4 4.8 8.4H3.2z",
  OPEN = "M8 4.2a3.8 3.8 0 1 0 .01 0zM8 5.6a2.4 2.4 0 1 1-.01 0z";
const SMALL = "M5.2 5.2h5.6v5.6H5.2z",
  PLUS = "M8 3.6v8.8M3.6 8h8.8",
  ARC = "M2.5 11.5C5 4 11 4 13.5 11.5",
  SHIFT = "M2.5 11.5 13 5M9.6 4.4 13 5l-1.6 3";
const CAP =
  "M8 2.8a5.2 5.2 0 0 1 2.6.7M12.6 5.6a5.2 5.2 0 0 1 .4 3.6M11.4 12a5.2 5.2 0 0 1-3 1.2M5.4 12.5a5.2 5.2 0 0 1-2.2-2.6M2.9 6.9a5.2 5.2 0 0 1 2-3.1";
const MIST = "M5 6.2a1.5 1.5 0 1 0 .01 0zM11 4.6a1.1 1.1 0 1 0 .01 0zM10.4 10a1.6 1.6 0 1 0 .01 0z",
  ARROW = "M3 12.5 12.5 4M8 3.6l4.6.3-.4 4.6";
const PIECES =
  "M8 3.2a4.8 4.8 0 0 1 4.2 7.1M10.6 12.1A4.8 4.8 0 0 1 3.3 8.9M3.4 6.6A4.8 4.8 0 0 1 6 3.6M8 6.6a1.4 1.4 0 1 0 .01 0z";

/** @param {Run[]} runs @param {Layers} layers @param {boolean} [alike] whether the arrows of all panels have one scale @returns {Sign[]} */
export function signsOf(runs, layers, alike = false) {
  const marks = new Set(runs.flatMap((run) => Object.keys(run.frame?.header.landmarks ?? {})));
  const splits = new Set(runs.flatMap((run) => [...run.splits]));
  /** @type {Sign[]} */
  const signs = [];
  const add = (
    /** @type {boolean} */ shown,
    /** @type {string} */ word,
    /** @type {string} */ path,
    /** @type {boolean} */ filled,
    /** @type {string} */ text,
    quiet = false,
  ) => {
    if (shown) signs.push({ word, text, path, filled, quiet });
  };
  add(layers.train, "training", DISC, true, "A training sample.");
  add(
    layers.validation && splits.has(2),
    "validation",
    SMALL,
    true,
    "A sample held back from training, by which the best step may be chosen.",
  );
  add(layers.test, "test", OPEN, true, "A test sample: it was never trained on.");
  add(
    layers.rings && runs.some((run) => run.info?.labelSets),
    "several labels",
    PIECES,
    false,
    "A ring around a sample of several classes has a piece in the colour of each, the four rarest at most.",
  );
  add(layers.centres, "centre", RING, false, "The mean direction of a class.");
  add(
    layers.targets && marks.has("targets"),
    "target",
    DIAMOND,
    true,
    "A place given in advance; an arc joins it with the centre that is to get there.",
  );
  add(layers.prototypes && marks.has("prototypes"), "prototype", SQUARE, true, "A learned stand-in of a class.");
  add(
    layers.classifier && marks.has("classifier"),
    "classifier",
    TRIANGLE,
    true,
    "The direction that a class's weights point to.",
  );
  if (layers.landmarks)
    for (const name of new Set(runs.flatMap(otherLandmarks)))
      add(
        true,
        name.replaceAll("_", " "),
        PLUS,
        false,
        `A place that the method keeps on the sphere for each class (“${name.replaceAll("_", " ")}”).`,
      );
  if (layers.links)
    for (const name of new Set(runs.flatMap((run) => [...(run.frame?.links.keys() ?? [])]))) {
      const { word, text, directed } = linkKind(name);
      add(
        true,
        word,
        directed ? SHIFT : ARC,
        false,
        directed ? text : `${text} A few of each class are drawn, and all of a class in focus.`,
      );
    }
  add(
    layers.clouds && runs.some((run) => run.frame?.clouds.size),
    "memory",
    MIST,
    true,
    "What the method remembers of earlier batches, 256 points at most; the older, the fainter.",
  );
  const capped = layers.densities ? runs.filter((run) => cappedLandmarks(run).length) : [];
  add(
    capped.some(isItself),
    "density",
    CAP,
    false,
    "A dashed cap shows how wide the method itself believes a class to be.",
  );
  add(
    capped.length > 0 && !capped.some(isItself),
    "density, only at 3 dimensions",
    CAP,
    false,
    "Density caps are angles in the embedding; a projection would distort them, so they are left out.",
    true,
  );
  add(
    layers.forces && runs.some((run) => run.forces),
    "force",
    ARROW,
    false,
    "An arrow leads from the centre of a class along the negative gradient of the loss: where this step pushes its samples. " +
      (alike ? FORCE_WORDS.oneScale : FORCE_WORDS.ownScale),
  );
  return signs;
}
