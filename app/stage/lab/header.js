/** Who a panel of the lab is, in the words of the stream: `RunHeader` and what its points are. Pure. */
import { LOSSES } from "./losses/list.js";
import { third } from "./measures.js";
import { countsIn } from "./settings.js";
import { labWords as words } from "./words.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {Record<string, {colour: string}>} Looks of the losses, by key */

/** Landmarks beside the points, by what the columns of a loss are. */
const LANDMARKS = {
  none: "",
  prototypes: "prototypes",
  weights: "classifier",
  classifier: "classifier",
  targets: "targets",
};
/** @type {Record<string, "square"|"triangle"|"diamond">} */
const SIGNS = { prototypes: "square", classifier: "triangle", targets: "diamond" };

/** What a person calls a loss. @param {string} id */
export const titleOf = (id) => words.lossTitles[/** @type {keyof typeof words.lossTitles} */ (id)]?.[0] ?? id;

/** What the layer of theory says of its places; which theory it is stands below the spheres. */
const theoryMark = () => ({
  key: "theory",
  title: words.theory.mark[0],
  short: words.theory.mark[1],
  primitive: "points",
  sign: "ring",
  on: false,
  directed: false,
});

/** Classes of the points. @param {Settings} settings @returns {Uint16Array} */
function labelsOf(settings) {
  const counts = countsIn(settings);
  return Uint16Array.from(
    counts.flatMap((n, c) => Array(Math.max(1, Math.min(settings.points, Math.floor(n)))).fill(c)),
  );
}

/** @param {string} id @param {Settings} settings @param {Looks} looks */
export function headerOf(id, settings, looks) {
  const labels = labelsOf(settings),
    { classes, dim } = settings,
    group = third(classes),
    landmark = LANDMARKS[LOSSES[id].columns];
  const payload = new Uint8Array(3 * labels.length);
  payload.set(new Uint8Array(labels.buffer));
  const mark = landmark && {
    key: landmark,
    title: words.landmarks[/** @type {keyof typeof words.landmarks} */ (landmark)][0],
    short: words.landmarks[/** @type {keyof typeof words.landmarks} */ (landmark)][1],
    primitive: "points",
    sign: SIGNS[landmark],
    on: true,
    directed: false,
  };
  return {
    type: "run",
    run: id,
    title: titleOf(id),
    method: LOSSES[id].method,
    colour: looks[id]?.colour ?? "#888888",
    readout: false,
    state: "running",
    reason: null,
    dim,
    num_classes: classes,
    class_names: Array.from({ length: classes }, (_, c) => words.className.replace("{c}", String(c))),
    counts: countsIn(settings),
    groups: Array.from({ length: classes }, (_, c) => (c < group ? 0 : c >= classes - group ? 2 : 1)),
    rule: words.rule,
    total_steps: null,
    n: labels.length,
    readings: [],
    marks: [...(mark ? [mark] : []), theoryMark()],
    what_if: { least: 0, cosines: {} },
    arrays: { labels: [0, labels.length, "uint16"], split: [2 * labels.length, labels.length, "uint8"] },
    thumb: null,
    /** For the lab alone: what its columns are, and the arrays. */
    landmark,
    payload: payload.buffer,
  };
}
