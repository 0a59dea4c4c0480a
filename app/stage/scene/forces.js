/** Where a loss pushes each class: arrows along the sphere from the centres, and the same in numbers. */
import { parseHex, readable } from "./colours.js";
import { formatMeasure } from "../common/numbers.js";
import { arrow } from "./strokes.js";
import { dot, length } from "../common/vectors.js";

/** @typedef {import("../common/types.js").Vec3} Vec3 */
/** @typedef {{parts: Set<string>, under: string|null, alike: boolean}} ForceChoice  parts drawn beside the total; the what-if method, null: none;
 * whether all panels have one scale */
/** @typedef {{parts: Set<string>, under: string|null, longest: number}} ForceLook  the same for one panel: no what-if that cannot be trusted, and the
 * size of the force whose arrow is the longest */
/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {{cosine: number|null, step: number|null, least: number}} Trust  in a what-if; `step` where it was measured on a run beside, else recorded */

/** Parts of a force: name in frames, word, sentence, colour (Okabe and Ito, told apart with every kind of colour blindness). */
export const PARTS = /** @type {[string, string, string, string][]} */ ([
  ["positives", "pull of positives", "the net pull of all that the loss takes for positive", "#009e73"],
  ["head", "push of head", "away from what belongs to head classes", "#0072b2"],
  ["medium", "push of medium", "away from what belongs to medium classes", "#e69f00"],
  ["tail", "push of tail", "away from what belongs to tail classes", "#d55e00"],
  ["targets", "pull of targets", "what the fixed targets do", "#cc79a7"],
  ["prior", "prior", "the difference that knowing the class counts makes", "#56b4e9"],
]);

/** The longest arrow of a panel, or of all where they have one scale, in radians of the sphere. */
export const LONGEST = 0.35;
const PART_CONTRAST = 2.4,
  STALE = 0.45,
  DASHES = 26;

/** @param {string} part @param {import("./colours.js").Rgb} page */
export const partColour = (part, page) =>
  readable(parseHex((PARTS.find(([key]) => key === part) ?? PARTS[0])[3]), page, PART_CONTRAST);

/**
 * Where an arrow ends that begins at a centre: along the great circle, or straight in a projection, whose centres lie inside.
 * @param {Vec3} m centre @param {Vec3} force @param {number} scale radians for each unit of force @param {boolean} straight @returns {Vec3|null}
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

/** Methods besides the run's own whose forces its frame holds. @param {import("../incoming/runs.js").Run} run @returns {string[]} */
export const whatIfs = (run) =>
  Object.keys(run.forces?.forces ?? {}).filter((name) => name !== run.info?.header.method);

/** Whether no newer forces are overdue: between two of them the arrows neither fade nor blink. @param {import("../incoming/runs.js").Run} run */
export const areFresh = ({ forces, frame }) =>
  Boolean(forces && frame && frame.header.step - forces.step <= 1.5 * forces.gap);

/** The totals that a panel shows: its own, and the what-if's. @param {import("../incoming/runs.js").Run} run @param {string|null} under */
function totals(run, under) {
  const forces = run.forces?.forces ?? {},
    own = forces[run.info?.header.method ?? ""] ?? {};
  return {
    own,
    total: own.total ?? [],
    other: (under !== null && under !== run.info?.header.method && forces[under]?.total) || [],
  };
}

/**
 * How far a what-if on a run can be trusted: what stand-ins were worth on the method's own run where that is beside, else where the bench had one.
 * @param {Run} run @param {string} under @param {Run[]} shown @returns {Trust} `cosine` null: nobody knows
 */
export function trustIn(run, under, shown) {
  const least = run.info?.header.what_if?.least ?? 0,
    recorded = run.info?.header.what_if?.cosines[under] ?? null;
  const own = shown.find(
    (other) => other.info?.header.method === under && other.info.header.dim === run.info?.header.dim && other.forces,
  );
  // A run that has class directions of its own lends them to a method that needs such; then that method's own were used.
  const lent =
    run.forces?.metrics.what_if_cosine_lent !== undefined ? own?.forces?.metrics.what_if_cosine_lent : undefined;
  const cosine = lent ?? own?.forces?.metrics.what_if_cosine;
  return cosine === undefined || !own?.forces
    ? { cosine: recorded, step: null, least }
    : { cosine, step: own.forces.step, least };
}

/** @param {Trust} trust */
export const isRefused = ({ cosine, least }) => cosine !== null && cosine < least;

/** The choice as it holds for one panel. @param {ForceChoice} choice @param {Run} run @param {Run[]} shown @returns {ForceLook} */
export function forceLook({ parts, under, alike }, run, shown) {
  const trusted = (/** @type {Run} */ one) => (under !== null && isRefused(trustIn(one, under, shown)) ? null : under);
  return {
    parts,
    under: trusted(run),
    longest: Math.max(0, ...(alike ? shown : [run]).map((one) => longestForce(one, trusted(one)))),
  };
}

/** @param {Run} run @param {string|null} under */
function longestForce(run, under) {
  const { total, other } = totals(run, under);
  return Math.max(0, ...[...total, ...other].map((force) => (force ? length(force) : 0)));
}

/** @param {import("./strokes.js").Sheets} to @param {import("../incoming/runs.js").Run} run @param {(Vec3|null)[]} centres
 * @param {import("./scene.js").Look} look @param {(c: number) => number} faded @returns {number} arrows drawn */
export function addForces(to, run, centres, look, faded) {
  const { own, total, other } = totals(run, look.forces.under),
    straight = Boolean(run.frame?.header.projection);
  const { longest } = look.forces;
  if (!longest) return 0;
  const fresh = areFresh(run) ? 1 : STALE;
  let drawn = 0;
  /** @param {(Vec3|null)[]} forces @param {import("./colours.js").Rgb} colour @param {number} width @param {number} dashes */
  const draw = (forces, colour, width, dashes) =>
    forces.forEach((force, c) => {
      const m = centres[c],
        end = m && force && arrowEnd(m, force, LONGEST / longest, straight);
      if (!m || !end) return;
      // The border keeps an arrow from drowning among points of its own lightness.
      arrow(to.lines, m, end, colour, fresh * faded(c), -width, dashes);
      drawn++;
    });
  draw(other, look.ink, 1.6, DASHES);
  draw(total, look.ink, 2.2, 0);
  // Asked for one by one, and thinner: they lie above.
  for (const [part] of PARTS)
    if (look.forces.parts.has(part)) draw(own[part] ?? [], partColour(part, look.page), 1.6, 0);
  return drawn;
}

/** The forces on one class in numbers, largest part first. @param {import("../incoming/runs.js").Run} run @param {number} c
 * @returns {{total: number, parts: [string, number][], step: number}|null} null where none are known */
export function forceOn(run, c) {
  const own = run.forces?.forces[run.info?.header.method ?? ""],
    total = own?.total?.[c];
  if (!run.forces || !own || !total) return null;
  const parts = PARTS.flatMap(([part, word]) => {
    const force = own[part]?.[c],
      size = force ? length(force) : 0;
    return size > 0 ? [/** @type {[string, number]} */ ([word, size])] : [];
  });
  return { total: length(total), parts: parts.sort((a, b) => b[1] - a[1]), step: run.forces.step };
}

/** The totals as a reading of its own, for the strip under a panel. @param {import("../incoming/runs.js").Run} run
 * @returns {{reading: import("../common/types.js").Reading, values: (number|null)[]}|null} */
export function forceReading(run) {
  const total = run.forces?.forces[run.info?.header.method ?? ""]?.total;
  if (!run.forces || !total) return null;
  const short = `How strongly the loss pushed the samples of each class at step ${run.forces.step}, in loss per radian; nothing where a class was not in the batch.`;
  return {
    reading: { key: "force", title: "Force", unit: "", short },
    values: total.map((force) => force && length(force)),
  };
}

/** One line for the card of a class; "" where no forces are known. @param {import("../incoming/runs.js").Run} run @param {number} c */
export function describeForce(run, c) {
  const force = forceOn(run, c);
  if (!force) return "";
  const parts = force.parts.map(([word, size]) => `${word} ${formatMeasure(size, "")}`).join(", ");
  return `Force ${formatMeasure(force.total, "")} at step ${force.step}${parts ? ` (${parts})` : ""}`;
}
