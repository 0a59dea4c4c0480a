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
  noStream: "No frames arrive: the stream was looked for at {address}.",
  noAnswer:
    "Nothing answers there. The app may have ended; start it again with `ltviz app`. This page tries again by itself.",
  strangeAnswer:
    "Somebody else than ltviz answers there ({status}), most likely a proxy that serves the app under a path of its own. Let it take that path off and pass on everything below it, WebSockets included, or open ltviz at the address that `ltviz app` printed.",
  tooMany: "The stage shows the first {most} of {count} runs.",
  failed: "This run failed.",
  failedNext: "Change the settings and press Train again.",
  lost: "The trainer stopped answering.",
  noSphere: "This browser offers no WebGL2, so you see a flat map of the sphere instead.",
  contextLost: "The graphics card let go of the picture. It comes back by itself; nothing is lost.",
  projection: "Projection",
  projectionNote: "A shadow of more than three dimensions: distances here may mislead.",
  noSimplex:
    "No simplex fits: {classes} classes need {need} dimensions, and these have {dim}. The deviation cannot reach 0 there.",
  canvas:
    "{count} spheres of class embeddings. Drag or use the arrow keys to turn them, + and − to zoom, Home to go back.",
  pending: "{asked} is being computed; {shown} are shown meanwhile.",
  noProjections: "This app offers no choice of projection.",
  noProjection:
    "These embeddings have {dim} dimensions: the sphere is the embedding itself, and nothing has to be projected.",
  someProjected: "Holds for the runs of more than three dimensions; the others are shown as they are.",
  chooseClasses: "Choose {missing} more: {count} classes span the view.",
  chosenClasses: "These {count} classes span the view. Take one away to choose another.",
  noSuch: "There is no class called “{text}”. A sample is found by its number.",
  noSample: "Sample {id} is not among the {count} samples on the stage.",
  noRoom: "The stage has room for {most} panels. Take a kept moment away, or show one run alone, and keep again.",
  release: "Take this moment away",
  keep: "Keep this moment",
  keepHint: "Freezes what is shown, beside the live panels (k)",
  noFullscreen: "This browser did not give the stage the whole screen.",
  notSaved: "This could not be saved: {reason}",
  selectionCaption: "Only the selected samples, at the step shown",
  nowNothing: "Nothing was recorded, so there is nothing to show.",
  nowWaiting: "Waiting for training to start.",
  nowStarting: "Training starts; the picture comes with the first frame.",
  nowLive: "Training: each step is shown as it comes.",
  nowPaused: "Training is paused at step {last}.",
  nowStopping: "Training stops after the step it is at.",
  nowOthers: "Runs that have ended play over and over.",
  nowLoop: "Playing from the first step to the last, over and over.",
  nowPlay: "Playing what has been recorded; at its end training is followed again.",
  nowSingle: "One step was recorded, so there is nothing to play.",
  nowHeld: "Paused at step {step} of {last}.",
  nowHeldLive: "Paused at step {step}; training goes on.",
  nowNewest: "Held at step {step}, the newest so far.",
  nowEnd: "Held at the end, step {step}.",
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

/** Small numbers in words. */
export const NUMBERS = ["no", "one", "two", "three", "four", "five", "six"];

/** What the honesty meter says of a projection: a gauge's short name, its title, and what its number means. */
export const GAUGE_WORDS = {
  kept_angle_order: {
    name: "order",
    title: "Order of the angles kept",
    short:
      "Whether pairs of points that are further apart in the embedding are further apart here too (Spearman's rank correlation): 100 % keeps the order, 0 % tells nothing.",
  },
  kept_centre_order: {
    name: "centres",
    title: "Order of the angles between class centres kept",
    short:
      "The same for the centres of the classes alone. A picture can keep one and lose the other: most pairs of points are of a few large classes, but every class has one centre.",
  },
  kept_variance: {
    name: "variance",
    title: "Variance kept",
    short: "Share of the spread of the points that this picture shows; the rest lies in directions it cannot show.",
  },
  trustworthiness: {
    name: "trust",
    title: "Trustworthiness",
    short: "Whether points that are neighbours here are neighbours in the embedding: 100 % means no false neighbours.",
  },
  jitter: {
    name: "jitter",
    title: "Jitter",
    short:
      "How far points moved in the picture since the frame before, in radii of the sphere: the less the view itself moves, the lower.",
  },
};

/** What is said of forces: how long arrows are, and how far a what-if can be trusted. */
export const FORCE_WORDS = {
  standIns: "Dashed: this run's centres and stored samples stand in for the other method's own.",
  ownScale: "The longest arrow of each panel is 20° long, whatever its force: lengths compare within a panel only.",
  oneScale: "The longest arrow of all panels is 20° long: lengths compare between panels.",
  scale: "one scale",
  scaleHint:
    "Draws the arrows of all panels to one scale, so that their lengths compare; methods count losses of their own",
  trust: "trust {cosine}",
  unknown: "trust unknown",
  trustHint:
    "How far this what-if is the method's own force where that is known, on a run of its own: the cosine between the two, 1 being the same direction.",
  here: "Measured on its run beside, at step {step}.",
  recorded: "Recorded by `ltviz bench what_if` on digits, as the median over the second half of training.",
  nobody: "Nobody has measured this method.",
  refused: "Not drawn where the cosine is below {least}.",
};

/** @typedef {typeof WORDS} Words */

/** @param {Partial<Words>} [own] @returns {Words} */
export const chooseWords = (own = {}) => ({ ...WORDS, ...own });

/** Fills {names} in a sentence. @param {string} sentence @param {Record<string, unknown>} values */
export const fill = (sentence, values) =>
  sentence.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
