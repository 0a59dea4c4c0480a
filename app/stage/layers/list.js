/** Every layer, in the order of the menu. A new layer is a file of its own, and a line here. */
import { caps } from "./caps.js";
import { centres } from "./centres.js";
import { forces } from "./forces.js";
import { ghost } from "./ghost.js";
import { grid } from "./grid.js";
import { inside } from "./inside.js";
import { labels } from "./labels.js";
import { isOn } from "./layer.js";
import { layerOf, marksOf } from "./marks/declared.js";
import { points } from "./points.js";
import { rings } from "./rings.js";
import { sizes } from "./sizes.js";
import { territory } from "./territory.js";
import { test } from "./test.js";
import { OWN, theory } from "./theory.js";
import { trails } from "./trails.js";
import { train } from "./train.js";
import { validation } from "./validation.js";

/** @typedef {import("./layer.js").Layer} Layer */
/** @typedef {import("./layer.js").Sign} Sign */
/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {Readonly<Record<string, boolean>>} Switches by key of a layer */

/** What is measured, before the marks that methods declare; what explains it, after them. @type {[Layer[], Layer[]]} */
const BUILT_IN = [
  [points, train, validation, test, sizes, rings, centres, labels],
  [forces, inside, caps, territory, trails, ghost, theory, grid],
];
const ALL = BUILT_IN.flat();
const TAKEN = new Set(ALL.map(({ key }) => key));

/** @param {Run[]} runs @returns {Layer[]} those of the stage, and between them one for each mark that a run declares */
export function layersOf(runs) {
  /** @type {Map<string, Layer>} */
  const declared = new Map();
  for (const run of runs)
    for (const mark of marksOf(run)) {
      if (OWN.includes(mark.key)) continue; // drawn by a layer of its own
      const layer = layerOf(mark, TAKEN);
      if (layer && !declared.has(layer.key)) declared.set(layer.key, layer);
    }
  return declared.size ? [...BUILT_IN[0], ...declared.values(), ...BUILT_IN[1]] : ALL;
}

/** Whether each built-in layer is on. @param {Switches} chosen @returns {Switches} */
export const switchesOf = (chosen) => Object.fromEntries(ALL.map((layer) => [layer.key, isOn(layer, chosen)]));

/**
 * What the legend says of the layers that are on. @param {Run[]} runs
 * @param {import("../scene/choices.js").Chosen} chosen @returns {Sign[]}
 */
export const signsOf = (runs, chosen) =>
  layersOf(runs).flatMap((layer) => (isOn(layer, chosen.layers) ? (layer.sign?.(runs, chosen) ?? []) : []));
