/** How many samples moved at which step, and which: into their own class, out of it, or between others. Pure. */

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../incoming/moves.js").MoveKind} MoveKind */
/** @typedef {{into: number, out: number, between: number}} Counts */
/** @typedef {Counts & {step: number}} CountsAt */

/** @param {Counts} counts */
export const total = ({ into, out, between }) => into + out + between;

/**
 * Whoever moved at a step; a sample without a label has no class to come into.
 * @param {Run} run @param {import("../incoming/moves.js").MovesAt} at @param {MoveKind} kind
 * @param {ReadonlySet<number>|null} classes ranks of the samples' own classes; null: all, and those without a label
 * @param {(row: number, way: keyof Counts) => void} tell
 */
function each(run, at, kind, classes, tell) {
  const moved = at.of[kind],
    { info } = run;
  if (!moved || !info) return;
  moved.rows.forEach((row, i) => {
    const own = info.labels[row];
    if (classes && !classes.has(own)) return;
    const labelled = own < info.header.num_classes;
    tell(row, labelled && moved.after[i] === own ? "into" : labelled && moved.before[i] === own ? "out" : "between");
  });
}

/**
 * @param {Run[]} runs @param {MoveKind} kind @param {ReadonlySet<number>|null} classes
 * @returns {CountsAt[]} of all runs together, by step, where anything moved
 */
export function countMoves(runs, kind, classes) {
  /** @type {Map<number, CountsAt>} */
  const found = new Map();
  for (const run of runs)
    for (const at of run.moves?.at ?? []) {
      const counts = found.get(at.step) ?? { step: at.step, into: 0, out: 0, between: 0 };
      each(run, at, kind, classes, (_, way) => counts[way]++);
      if (total(counts)) found.set(at.step, counts);
    }
  return [...found.values()].sort((a, b) => a.step - b.step);
}

/**
 * @param {Run[]} runs @param {MoveKind} kind @param {ReadonlySet<number>|null} classes @param {number} step
 * @returns {Set<number>} ids of the samples that moved at it in any run
 */
export function movedIds(runs, kind, classes, step) {
  /** @type {Set<number>} */
  const ids = new Set();
  for (const run of runs)
    for (const at of run.moves?.at ?? [])
      if (at.step === step) each(run, at, kind, classes, (row) => ids.add(run.info?.ids ? run.info.ids[row] : row));
  return ids;
}

/**
 * Steps on so many places of a line. @param {CountsAt[]} counted @param {number} first @param {number} last steps at its
 * ends @param {number} places
 * @returns {(Counts & {most: CountsAt})[]} sparse: by place, all of it together, and its step at which most moved
 */
export function placeMoves(counted, first, last, places) {
  /** @type {(Counts & {most: CountsAt})[]} */
  const found = [];
  for (const at of counted) {
    const share = last > first ? (at.step - first) / (last - first) : 0,
      place = Math.min(places - 1, Math.max(0, Math.floor(share * places)));
    const known = (found[place] ??= { into: 0, out: 0, between: 0, most: at });
    for (const way of /** @type {(keyof Counts)[]} */ (["into", "out", "between"])) known[way] += at[way];
    if (total(at) > total(known.most)) known.most = at;
  }
  return found;
}

/** The most steps between two frames that were compared. @param {Run[]} runs */
export function longestGap(runs) {
  let longest = 0;
  for (const { moves } of runs)
    moves?.at.forEach(({ step }, i) => i && (longest = Math.max(longest, step - moves.at[i - 1].step)));
  return longest;
}

/**
 * The step up to which frames have been compared, where more of them are known of a run. @param {Run[]} runs
 * @returns {number|null} null: all have been
 */
export function comparedUpTo(runs) {
  const behind = runs.flatMap(({ moves, steps }) => {
    const last = moves?.at.at(-1)?.step ?? -1;
    return last < (steps.at(-1) ?? -1) ? [last] : [];
  });
  return behind.length ? Math.max(0, Math.min(...behind)) : null;
}
