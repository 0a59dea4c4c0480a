/**
 * What each point of a run wears: its colour, as a place in the palette, its flags, its size, the ring around it. Pure.
 */
import { CONFIDENCE_SCALE, LOSS_SCALE } from "../common/messages.js";
import { attributeOf, coloured, stepsOf } from "./known.js";
/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("./choices.js").ColourMode} ColourMode */

/**
 * @typedef {{flags: Uint8Array, sizes: Uint8Array, pieces: Uint16Array|null}} PointAttributes what does not change with
 * the
 * frame
 */

/** Flags of a point, as the shaders read them. */
export const FLAG = { TEST: 1, HIDDEN: 2, DIMMED: 4, VALIDATION: 8 };
/** Stands where a ring has no further piece, and where a point has no ring. */
export const NO_PIECE = 65535;
/** After the classes' own colours come these, and then the steps of a ramp. */
export const EXTRAS = /** @type {const} */ ([
  "right",
  "wrong",
  "training",
  "test",
  "validation",
  "unknown",
  "unlabelledSample",
]);
/** @typedef {typeof EXTRAS[number]} Extra a colour that is no class's; its name is that of its word */
/** Where samples without a label stand among them. */
export const UNLABELLED = EXTRAS.length - 1;
/** Steps in which a ramp of values is drawn. */
export const STEPS = 64;

/** Classes with a colour of their own: a place in the palette has 16 bits. Neighbours on so long a ramp look alike. */
const MOST_COLOURS = 65536 - EXTRAS.length - STEPS;

/** How many places of the palette are those of classes. @param {number} numClasses */
export const colouredClasses = (numClasses) => Math.min(numClasses, MOST_COLOURS);

/** Most pieces of a ring. */
const MOST_PIECES = 4;
/** A class that has as many samples as the largest, growth for each tenfold fewer, and the largest of all. */
const SMALLEST = 0.92,
  PER_DECADE = 0.31,
  LARGEST = 1.7;
/** The most that a loss can say on the wire stands for all beyond. */
export const MOST_LOSS = 65535;

/**
 * The loss at the top of the scale: that of guessing, so that panels compare.
 * @param {import("../common/types.js").RunInfo} info
 */
export const topLoss = (info) => Math.log(info.labelSets ? 2 : Math.max(2, info.header.num_classes));

/** Whether colours follow the frame. @param {ColourMode} mode */
export const changesWithFrame = (mode) => mode === "correct" || mode === "confidence" || mode === "loss";

/**
 * @param {Run} run @param {ColourMode} mode
 * @param {Uint16Array} [out] written where it has the right length, so that a stream of frames makes no garbage
 * @returns {Uint16Array} place in the palette: class c is colour c, then EXTRAS, then the run's values: the steps of a
 *   ramp from low to high, or a colour a category
 */
export function pointColours(run, mode, out) {
  const info = /** @type {import("../common/types.js").RunInfo} */ (run.info),
    { labels, split } = info,
    { frame } = run;
  const classes = info.header.num_classes,
    base = colouredClasses(classes),
    unknown = base + EXTRAS.indexOf("unknown"),
    ramp = base + EXTRAS.length,
    n = labels.length;
  const free = base + UNLABELLED,
    known = coloured(mode),
    byClass = known === null && mode !== "split" && !changesWithFrame(mode);
  if (byClass && !run.unlabelled && base === classes) return labels;
  const colours = out?.length === n ? out : new Uint16Array(n);
  if (byClass) {
    for (let i = 0; i < n; i++) colours[i] = labels[i] < classes ? Math.min(labels[i], base - 1) : free;
    return colours;
  }
  if (known !== null) {
    const attribute = attributeOf(info, known);
    if (!attribute) return colours.fill(unknown);
    const steps = stepsOf(attribute, run.values.length || STEPS);
    for (let i = 0; i < n; i++) colours[i] = steps[i] < 0 ? unknown : ramp + steps[i];
    return colours;
  }
  if (mode === "split") {
    for (let i = 0; i < n; i++) colours[i] = base + 2 + Math.min(2, split[i]);
    return colours;
  }
  const values = mode === "correct" ? frame?.predictions : mode === "confidence" ? frame?.confidence : frame?.loss;
  if (!values || values.length !== n) return colours.fill(unknown);
  if (mode === "correct")
    for (let i = 0; i < n; i++)
      colours[i] =
        labels[i] >= classes ? free : values[i] >= classes ? unknown : base + (values[i] === labels[i] ? 0 : 1);
  else {
    const scale = STEPS / (mode === "confidence" ? CONFIDENCE_SCALE + 1 : topLoss(info) * LOSS_SCALE);
    for (let i = 0; i < n; i++) colours[i] = ramp + Math.min(STEPS - 1, values[i] * scale);
  }
  return colours;
}

/**
 * Whether nothing is known of a sample in a frame: it is not drawn then, and nothing is said of it.
 * @param {import("../common/types.js").Frame|null|undefined} frame @param {number} index
 */
export const isAbsent = (frame, index) => frame?.present?.[index] === 0;

/**
 * @param {Run} run @param {Readonly<Record<string, boolean>>} shown which of "train", "test" and "validation" are
 * @param {ReadonlySet<number>|null} chosen classes in focus; null: all
 * @param {ReadonlySet<number>|null} selected ids of samples in focus; null: all
 * @returns {Uint8Array} bits of FLAG
 */
export function pointFlags(run, shown, chosen, selected) {
  const { labels, split, ids } = /** @type {import("../common/types.js").RunInfo} */ (run.info);
  const marks = [0, FLAG.TEST, FLAG.VALIDATION],
    seen = [shown.train, shown.test, shown.validation];
  const flags = new Uint8Array(labels.length);
  for (let i = 0; i < flags.length; i++) {
    const part = Math.min(2, split[i]);
    const dimmed = (chosen && !chosen.has(labels[i])) || (selected && !selected.has(ids ? ids[i] : i));
    const hidden = !seen[part] || isAbsent(run.frame, i);
    flags[i] = marks[part] | (hidden ? FLAG.HIDDEN : 0) | (dimmed ? FLAG.DIMMED : 0);
  }
  return flags;
}

/**
 * Size of the points of each class: the rarer the larger, by the logarithm of its count. @param {number[]} counts
 * @param {boolean} byCount
 * @returns {number[]} 1 for all where sizes say nothing */
export function classSizes(counts, byCount) {
  const most = Math.max(1, ...counts);
  return counts.map((n) =>
    byCount ? Math.min(LARGEST, SMALLEST + PER_DECADE * Math.log10(most / Math.max(1, n))) : 1,
  );
}

/** @param {Run} run @param {boolean} byCount @returns {Uint8Array} size of each point, 128 = 1 */
export function pointSizes(run, byCount) {
  const { labels, header } = /** @type {import("../common/types.js").RunInfo} */ (run.info);
  const sizes = classSizes(header.counts, byCount).map((size) => Math.round(size * 128));
  // A sample without a label is as small as those of the commonest class.
  const free = byCount ? Math.round(SMALLEST * 128) : 128;
  const found = new Uint8Array(labels.length);
  for (let i = 0; i < found.length; i++) found[i] = sizes[labels[i]] ?? free;
  return found;
}

/**
 * Classes of a sample, the rarest first. @param {Uint8Array} sets label sets @param {number} stride bytes a sample
 * @param {number} i
 * @param {number} count of classes @returns {number[]} */
export function classesOf(sets, stride, i, count) {
  const found = [];
  for (let c = count - 1; c >= 0; c--) if (sets[i * stride + (c >> 3)] & (1 << (c & 7))) found.push(c);
  return found;
}

/**
 * The rings around samples of several classes: the four rarest of each, head first as everywhere.
 * @param {Run} run
 * @returns {Uint16Array|null} four classes a point, NO_PIECE where there is none; null where no sample has several
 */
export function ringPieces(run) {
  const { labelSets, labels, header } = /** @type {import("../common/types.js").RunInfo} */ (run.info);
  if (!labelSets) return null;
  const pieces = new Uint16Array(labels.length * MOST_PIECES).fill(NO_PIECE),
    stride = Math.ceil(header.num_classes / 8);
  let several = false;
  for (let i = 0; i < labels.length; i++) {
    const classes = classesOf(labelSets, stride, i, header.num_classes);
    if (classes.length < 2) continue;
    several = true;
    pieces.set(classes.slice(0, MOST_PIECES).reverse(), i * MOST_PIECES);
  }
  return several ? pieces : null;
}
