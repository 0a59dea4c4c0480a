/** Every sentence the stage can say. The app's own words win (`data.words`). */

const WORDS = {
  waiting: "Waiting for the first frame…",
  empty: "Nothing to watch yet.",
  emptyNext: "Press Train to start a race, or choose a recorded run.",
  connecting: "Connecting…",
  reconnecting: "The connection was lost. Trying again…",
  unreachable: "The app does not answer. Trying again…",
  refused: "The app refused the stream.",
  retry: "Try again",
  tooMany: "The stage shows the first {most} of {count} runs.",
  failed: "This run failed.",
  failedNext: "Change the settings and press Train again.",
  lost: "The trainer stopped answering.",
  noSphere: "This browser offers no WebGL2, so you see a flat map of the sphere instead.",
  contextLost: "The graphics card let go of the picture. It comes back by itself; nothing is lost.",
  projection: "Projection",
  projectionNote: "A shadow of more than three dimensions: distances here may mislead.",
  noSimplex: "No simplex fits: {classes} classes need {need} dimensions, and these have {dim}. The deviation cannot reach 0 there.",
  canvas: "{count} spheres of class embeddings. Drag or use the arrow keys to turn them, + and − to zoom, Home to go back.",
  live: "live",
  follow: "loop",
  play: "Play",
  pause: "Pause",
  head: "most samples",
  tail: "fewest",
  simplified: "Drawing simplified to stay fluid: {what}.",
  tableCaption: "Measures of every method at the step shown",
  hint: "Drag to turn, scroll to zoom, click a point to keep its card.",
};

/** @typedef {typeof WORDS} Words */

/** @param {Partial<Words>} [own] @returns {Words} */
export const chooseWords = (own = {}) => ({ ...WORDS, ...own });

/** Fills {names} in a sentence. @param {string} sentence @param {Record<string, unknown>} values */
export const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
