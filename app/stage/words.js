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
  pending: "{asked} is being computed; {shown} are shown meanwhile.",
  noProjections: "This app offers no choice of projection.",
  noProjection: "These embeddings have {dim} dimensions: the sphere is the embedding itself, and nothing has to be projected.",
  someProjected: "Holds for the runs of more than three dimensions; the others are shown as they are.",
  chooseClasses: "Choose {missing} more: four classes span the view.",
  fourClasses: "These four classes span the view. Take one away to choose another.",
  noSuch: "There is no class called “{text}”. A sample is found by its number.",
  noSample: "Sample {id} is not among the {count} samples on the stage.",
  noRoom: "The stage has room for {most} panels. Take a kept moment away, or show one run alone, and keep again.",
  release: "Take this moment away",
  keep: "Keep this moment",
  keepHint: "Freezes what is shown, beside the live panels (k)",
  noFullscreen: "This browser did not give the stage the whole screen.",
  notSaved: "This could not be saved: {reason}",
  selectionCaption: "Only the selected samples, at the step shown",
  live: "live",
  follow: "loop",
  play: "Play",
  pause: "Pause",
  head: "most samples",
  tail: "fewest",
  unlabelled: "Samples without a label",
  unlabelledNote: "They are drawn, and never measured, ranked or counted.",
  simplified: "Drawing simplified to stay fluid: {what}.",
  tableCaption: "Measures of every method at the step shown",
  hint: "Drag to turn, scroll to zoom, click a point to keep its card.",
};

/** @typedef {typeof WORDS} Words */

/** @param {Partial<Words>} [own] @returns {Words} */
export const chooseWords = (own = {}) => ({ ...WORDS, ...own });

/** Fills {names} in a sentence. @param {string} sentence @param {Record<string, unknown>} values */
export const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
