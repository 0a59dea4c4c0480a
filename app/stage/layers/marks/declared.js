/** Layers that runs declare: each mark of a method is one, drawn by the module of its primitive. */
import { fill, words } from "../../words.js";
import { capsOf } from "./caps.js";
import { pointsOf } from "./points.js";
import { segmentsOf } from "./segments.js";
import { vectorsOf } from "./vectors.js";

/** @typedef {import("../layer.js").Layer} Layer */
/** @typedef {import("../../common/types.js").Mark} Mark */
/** @typedef {import("../../incoming/runs.js").Run} Run */

const PRIMITIVES = { points: pointsOf, segments: segmentsOf, caps: capsOf, vectors: vectorsOf };
/** Words by which links once switched marks of a kind, before each had a switch of its own. */
const GROUPS = { segments: "links", caps: "densities", mist: "clouds", plus: "landmarks" };

/** @param {Mark} mark @returns {string|undefined} */
const groupOf = ({ primitive, sign }) =>
  /** @type {Record<string, string>} */ (GROUPS)[primitive === "points" ? sign : primitive];

/** @type {WeakMap<Mark, Layer>} */
const made = new WeakMap();

/**
 * @param {Mark} mark @param {Set<string>} taken keys of the built-in layers
 * @returns {Layer|null} null: no primitive of ours
 */
export function layerOf(mark, taken) {
  const known = made.get(mark);
  if (known) return known;
  if (!Object.hasOwn(PRIMITIVES, mark.primitive)) return null;
  const { title, short, on } = mark;
  /** @type {Layer} */
  const layer = {
    key: taken.has(mark.key) ? `mark.${mark.key}` : mark.key,
    title,
    hint: short,
    on,
    group: groupOf(mark),
    ...PRIMITIVES[mark.primitive](mark),
  };
  made.set(mark, layer);
  return layer;
}

/** @type {Map<string, Mark>} */
const undeclared = new Map();

/** What stands for a landmark that nobody declared. @param {string} key @returns {Mark} */
function plainMark(key) {
  const known = undeclared.get(key);
  if (known) return known;
  const title = key.replaceAll("_", " ");
  const short = fill(words.plainLandmark, { title });
  /** @type {Mark} */
  const mark = { key, title, short, primitive: "points", sign: "plus", on: true, directed: false };
  undeclared.set(key, mark);
  return mark;
}

/** What a run declares, and its landmarks that it does not. @param {Run} run @returns {Mark[]} */
export function marksOf(run) {
  const declared = run.info?.header.marks ?? [];
  const left = Object.keys(run.frame?.header.landmarks ?? {}).filter((key) => !run.declares(key));
  return left.length ? [...declared, ...left.map(plainMark)] : declared;
}
