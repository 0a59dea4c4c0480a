/** Where a loss pushes each class, in numbers, and where the arrow of a vector ends. */
import { parseHex, readable } from "../common/colours.js";
import { formatMeasure } from "../common/numbers.js";
import { dot, length } from "../common/vectors.js";
import { fill, words } from "../words.js";

/** @typedef {import("../common/types.js").Vec3} Vec3 */
/** @typedef {import("../incoming/runs.js").Run} Run */
/**
 * @typedef {{parts: ReadonlySet<Part>, under: string|null, alike: boolean, lit?: ReadonlySet<Part>|null}} ForceChoice
 * parts drawn beside the total; the what-if method, null: none; whether the arrows of all panels have one scale; parts
 * that stand out from all others, null: none
 */
/**
 * @typedef {{parts: ReadonlySet<Part>, under: string|null, longest: number, lit?: ReadonlySet<Part>|null}} ForceLook the same for one panel: no
 * what-if that cannot be trusted, and the size of the force whose arrow is the longest
 */
/**
 * @typedef {{cosine: number|null, step: number|null, least: number}} Trust in a what-if: null where nobody has measured
 * it; `step` where it was measured on a run beside, else recorded; `least` below which it is not drawn
 */

/**
 * Colours of a force's parts, by their names in frames (Okabe and Ito, told apart with every kind of colour blindness).
 */
const COLOURS = {
  positives: "#009e73",
  head: "#0072b2",
  medium: "#e69f00",
  tail: "#d55e00",
  targets: "#cc79a7",
  prior: "#56b4e9",
};
/** @typedef {keyof typeof COLOURS} Part */
/** Parts of a force, in the order in which they are offered and drawn. */
export const PARTS = /** @type {Part[]} */ (Object.keys(COLOURS));

/** The longest arrow of a panel, or of all where they have one scale, in radians of the sphere. */
export const LONGEST = 0.35;
const PART_CONTRAST = 2.4;

/** @param {Part} part @param {import("../common/colours.js").Rgb} page */
export const partColour = (part, page) => readable(parseHex(COLOURS[part]), page, PART_CONTRAST);

/** Length of the longest vector; 0 where there is none. @param {(Vec3|null)[]} rows */
export const longestOf = (rows) => rows.reduce((most, row) => (row ? Math.max(most, length(row)) : most), 0);

/**
 * Where an arrow ends that begins at a centre: along the great circle, or straight in a projection, whose centres lie
 * inside.
 * @param {Vec3} m centre @param {Vec3} force @param {number} scale radians for each unit of force
 * @param {boolean} straight @returns {Vec3|null}
 *   null where the force has no direction along the sphere
 */
export function arrowEnd(m, force, scale, straight) {
  const radius = length(m);
  if (radius < 1e-6) return null;
  const out = straight ? 0 : dot(force, m) / (radius * radius);
  const along = /** @type {Vec3} */ ([0, 1, 2].map((i) => force[i] - out * m[i])),
    size = length(along),
    step = size * scale;
  if (step < 1e-4) return null;
  if (straight) return [m[0] + along[0] * scale, m[1] + along[1] * scale, m[2] + along[2] * scale];
  const c = Math.cos(step),
    s = (Math.sin(step) * radius) / size;
  return [m[0] * c + along[0] * s, m[1] * c + along[1] * s, m[2] * c + along[2] * s];
}

/**
 * Methods besides the run's own whose forces its frame holds. @param {Run} run @returns {string[]}
 */
export const whatIfs = (run) =>
  Object.keys(run.forces?.forces ?? {}).filter((name) => name !== run.info?.header.method);

/**
 * Whether no newer forces are overdue: between two of them the arrows neither fade nor blink.
 * @param {Run} run
 */
export const areFresh = ({ forces, frame }) =>
  Boolean(forces && frame && frame.header.step - forces.step <= 1.5 * forces.gap);

/**
 * The totals that a panel shows: its own, and the what-if's. @param {Run} run @param {string|null} under
 */
export function totalsOf(run, under) {
  const forces = run.forces?.forces ?? {},
    own = forces[run.info?.header.method ?? ""] ?? {};
  return {
    own,
    total: own.total ?? [],
    other: (under !== null && under !== run.info?.header.method && forces[under]?.total) || [],
  };
}

/**
 * How far a what-if on a run can be trusted: what stand-ins were worth on the method's own run where that is beside,
 * else where the bench had one.
 * @param {Run} run @param {string} under @param {Run[]} beside those in the picture @returns {Trust}
 */
export function trustIn(run, under, beside) {
  const header = run.info?.header;
  const { least = 0, cosines = {} } = header?.what_if ?? {};
  const source = beside.find((other) => {
    const { method, dim } = other.info?.header ?? {};
    return other.forces && method === under && dim === header?.dim;
  });
  const measured = source?.forces?.metrics;
  // A run that has class directions of its own lends them to a method that needs such: then that cosine is the one.
  const lent = run.forces?.metrics.what_if_cosine_lent === undefined ? undefined : measured?.what_if_cosine_lent;
  const here = lent ?? measured?.what_if_cosine;
  if (source?.forces && here !== undefined) return { cosine: here, step: source.forces.step, least };
  return { cosine: Object.hasOwn(cosines, under) ? cosines[under] : null, step: null, least };
}

/** Whether a what-if is known to point elsewhere than the method's own force. @param {Trust} trust */
export const isRefused = ({ cosine, least }) => cosine !== null && cosine < least;

/**
 * A choice as it holds for one panel. It may follow from the frames of others: from their longest arrows where all have
 * one scale, and from what was measured there of the what-if.
 * @param {ForceChoice} choice @param {Run} run @param {Run[]} beside those in the picture, it among them
 * @returns {ForceLook}
 */
export function forceLook({ parts, under, alike, lit = null }, run, beside) {
  const trusted = (/** @type {Run} */ one) => (under !== null && isRefused(trustIn(one, under, beside)) ? null : under);
  const sizes = (alike ? beside : [run]).flatMap((one) =>
    [one.info?.header.method, trusted(one)].map((method) => longestTotal(one, method)),
  );
  return { parts, under: trusted(run), longest: Math.max(0, ...sizes), lit };
}

/** Size of each method's strongest total: asked for with every picture. @type {WeakMap<object, Map<string, number>>} */
const strongest = new WeakMap();

/** @param {Run} run @param {string|null|undefined} method */
function longestTotal({ forces: shown }, method) {
  if (!shown || !method || !Object.hasOwn(shown.forces, method)) return 0;
  let known = strongest.get(shown.forces);
  if (!known) strongest.set(shown.forces, (known = new Map()));
  const size = known.get(method) ?? longestOf(shown.forces[method].total ?? []);
  known.set(method, size);
  return size;
}

/**
 * The forces on one class in numbers, largest part first. @param {Run} run @param {number} c
 * @returns {{total: number, parts: [string, number][], step: number}|null} null where none are known */
export function forceOn(run, c) {
  const own = run.forces?.forces[run.info?.header.method ?? ""],
    total = own?.total?.[c];
  if (!run.forces || !own || !total) return null;
  const parts = PARTS.flatMap((part) => {
    const force = own[part]?.[c];
    const size = force ? length(force) : 0;
    return size > 0 ? [/** @type {[string, number]} */ ([words.forceParts[part][0], size])] : [];
  });
  return { total: length(total), parts: parts.sort((a, b) => b[1] - a[1]), step: run.forces.step };
}

/** The totals as a reading of its own, for the strip under a panel. @param {Run} run
 * @returns {{reading: import("../common/types.js").Reading, values: (number|null)[]}|null} */
export function forceReading(run) {
  const total = run.forces?.forces[run.info?.header.method ?? ""]?.total;
  if (!run.forces || !total) return null;
  const short = fill(words.forceReadingNote, { step: run.forces.step });
  return {
    reading: { key: "force", title: words.forceReading, unit: "", short },
    values: total.map((force) => force && length(force)),
  };
}

/**
 * One line for the card of a class; "" where no forces are known. @param {Run} run @param {number} c
 */
export function describeForce(run, c) {
  const force = forceOn(run, c);
  if (!force) return "";
  const parts = force.parts.map(([word, size]) => `${word} ${formatMeasure(size, "")}`).join(", ");
  const { step, total } = force;
  return fill(parts ? words.forceLineParts : words.forceLine, { size: formatMeasure(total, ""), step, parts });
}
