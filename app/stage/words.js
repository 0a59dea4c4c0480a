/**
 * Every sentence the stage can say, but for what a layer or a method's mark says of itself, which stands where it is
 * declared. The page's own words win (`data.words`): read them when they are said, never when a module is loaded.
 */
import { savingWords } from "./saving/words.js";
const OWN = {
  waiting: "Waiting for the first frame…",
  empty: "Nothing to watch yet.",
  emptyNext: "Press Train to start a race, or choose a recorded run.",
  connecting: "Connecting…",
  reconnecting: "The connection was lost. Trying again…",
  unreachable: "The app does not answer. Trying again…",
  silent: "Nothing comes from the app any more. The picture stands still until it goes on, and then follows by itself.",
  refused: "The app refused the stream.",
  retry: "Try again",
  noStream: "No frames arrive: the stream was looked for at {address}.",
  noAnswer:
    "Nothing answers there. The app may have ended; start it again with `ltviz app`. This page tries again by itself.",
  strangeAnswer:
    "Somebody else than ltviz answers there ({status}), most likely a proxy that serves the app under a path of " +
    "its own. Let it take that path off and pass on everything below it, WebSockets included, or open ltviz at " +
    "the address that `ltviz app` printed.",
  tooMany: "The stage shows the first {most} of {count} runs.",
  failed: "This run failed.",
  failedNext: "Change the settings and press Train again.",
  lost: "The trainer stopped answering.",
  lostNext: "Go on with it in the list of runs.",
  unreadable: "This run cannot be read.",
  noSphere: "This browser offers no WebGL2, so you see a flat map of the sphere instead.",
  contextLost: "The graphics card let go of the picture. It comes back by itself; nothing is lost.",
  projection: "Projection",
  projectionNote: "A shadow of more than three dimensions: distances here may mislead.",
  noSimplex:
    "No simplex fits: {classes} classes need {need} dimensions, and these have {dim}. The deviation cannot reach " +
    "0 there.",
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
  nowBegins: "Step {last} is drawn, and training goes on from there.",
  nowMeanwhile: "Step {last} is drawn. Meanwhile: {doing}",
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
  fewerPoints: "While it moves, {shown} of {all} points are drawn, a sample of every class; at rest all are.",
  firstPoints: "{shown} of {all} points are here, a sample of every class; the others follow.",
  attributesLeft: "Too large to travel, and not to be chosen here: {names}.",
  simplified: "Drawing simplified to stay fluid: {what}.",
  tableCaption: "Measures of every method at the step shown",
  judged: "{value} of {count} samples; ± is the standard error that their number leaves",
  readout:
    "A read-out beside the encoder, trained on detached features: it shows what was learned and is not compared.",
  hint: "Drag to turn, scroll to zoom, click a point to keep its card.",
  cannotOpen: "This file cannot be shown: {reason} Save it again, or open it in a browser from 2023 or later.",
  needsHost:
    "It reads the files beside it, which browsers allow only where a host serves them: try `python -m http.server` in this folder.",
  oneProjection: "This file holds one projection; choose another in the app and save the file again.",

  // Menus and what a person can press.
  layers: "Layers",
  colour: "Colour",
  colourOf: "Colour of the points",
  viewMenu: "View",
  camera: "Camera",
  cameraHome: "Home",
  cameraHomeHint: "Back to where it began (Home)",
  cameraFront: "From the front",
  cameraAbove: "From above",
  moreClasses: "{count} more: find them by name",
  cameraAlong: "Look along a class",
  cameraAlongFirst: "Look along a class…",
  cameraShared: "One camera for all",
  cameraSharedHint:
    "Switched off, each panel turns by itself; keys and this menu mean the one touched last (1 to 9 choose it)",
  cameraSpins: "Turn slowly",
  save: "Save",
  fullScreen: "Full screen",
  leaveFullScreen: "Leave full screen",
  byKey: "{name} ({key})",
  dragDoes: "What a drag does",
  tools: {
    turn: ["Turn", "Drag turns the sphere"],
    lasso: ["Lasso", "Drag around samples to select them (or Shift and drag)"],
    box: ["Box", "Drag a box over samples to select them (or Alt, Shift and drag)"],
  },
  colourModes: {
    ramp: "By rarity",
    categorical: "By class",
    groups: "Head, medium, tail",
    split: "Training or test",
    correct: "Right or wrong",
    confidence: "By confidence",
    loss: "By loss",
  },
  attributes: "By what your data say",
  attributeNote: "One value a sample, as your data hold it; {unknown} of {count} have none",
  attributeIs: "{name}: {value}",
  attributesMore: "and {count} more",
  otherCategories: "{count} others",
  nothingKnown: "not known",
  find: "Find a class or sample",
  findHint: "The name of a class, the number of a sample (#123), or words of an attribute (year: 2001)",
  projectionMenu: "Projection",
  about: "About {title}",
  showAlone: "Show this panel alone",
  showAll: "Show all panels",
  close: "Close",

  // Time.
  time: "Time",
  step: "Step",
  atStep: "step {step}",
  frameBack: "One frame back",
  frameOn: "One frame on",
  eventsLegend: "Marks on the timeline",
  eventsKeys: "[ and ] go from mark to mark",
  eventAt: "Step {step}: {what}",
  eventLine: "{title}: {text}",
  events: {
    alarm: "alarm",
    setting: "setting changed",
    swap: "matching swapped",
    kept: "kept moment",
    note: "note",
  },
  speed: "Speed",
  speedHint: "Speed of the replay",
  times: "{factor}×",
  liveHint: "Follow the newest frame",
  followHint: "Replay from start to end, over and over",

  // Legend.
  legend: "Legend",
  training: "training",
  test: "test",
  validation: "validation",
  unlabelledSample: "unlabelled",
  unlabelledCount: "unlabelled ({count})",
  upTo: "up to {most}",
  right: "right",
  wrong: "wrong",
  unknown: "unknown",
  splitTitle: "Training or test",
  splitNote: "Which part of the data a sample belongs to.",
  correctTitle: "Right or wrong",
  correctNote:
    "Whether the method's own classifier names the true class; grey where it gives no answer, or the sample has " +
    "no label.",
  noneRecorded: "Grey: this run recorded none.",
  confidenceTitle: "Confidence",
  confidenceNote: "Probability that the method's own classifier gives to the class it names.",
  confidenceLow: "confidence 0 %",
  confidenceHigh: "100 %",
  lossTitle: "Loss",
  lossNote:
    "Cross-entropy of the method's own classifier for the true class. " +
    "The scale ends at {guess} = {top}, the loss of guessing, in every panel.",
  lossLow: "loss 0",
  lossHigh: "{top} or more",
  rampTitle: "Classes, from most to fewest training samples",
  withCount: "{name} ({count})",
  onlyAtThree: "{title}, only at 3 dimensions",
  noCaps: "Caps are angles in the embedding; a projection would distort them, so they are left out.",
  somePairs: "A few of each class are drawn, and all of a class in focus.",
  plainLandmark: "A place that the method keeps on the sphere for each class (“{title}”).",

  // Forces and trails.
  forces: "Forces",
  forcesTotal: "Forces: total",
  forceUnder: "Force under another method",
  forceUnderHint: "The force on the same batch under another method, dashed; it is not applied",
  forceOwn: "its own alone",
  forceAnd: "and under {title}",
  forceParts: {
    positives: ["pull of positives", "the net pull of all that the loss takes for positive"],
    head: ["push of head", "away from what belongs to head classes"],
    medium: ["push of medium", "away from what belongs to medium classes"],
    tail: ["push of tail", "away from what belongs to tail classes"],
    targets: ["pull of targets", "what the fixed targets do"],
    prior: ["prior", "the difference that knowing the class counts makes"],
  },
  forcePart: "The {word}: {sentence}",
  forcesHidden: "No forces here: none were recorded, or this view cannot show directions.",
  forcesOff: "No forces here: their recording was off when this run was trained.",
  forcesImagined: "Dashed: this run's centres and stored samples stand in for the other method's own.",
  forceOwnScale:
    "The longest arrow of each panel is 20° long, whatever its force: lengths compare within a panel only.",
  forceOneScale: "The longest arrow of all panels is 20° long: lengths compare between panels.",
  forceScale: "one scale",
  forceScaleHint:
    "Draws the arrows of all panels to one scale, so that their lengths compare; methods count losses of their own",
  trust: "trust {cosine}",
  trustRefused: "{trust}. Not drawn where the cosine is below {least}.",
  trustUnknown: "trust unknown",
  trustHint:
    "How far this what-if is the method's own force where that is known, on a run of its own: the cosine between the " +
    "two, 1 being the same direction.",
  trustHere: "Measured on its run beside, at step {step}.",
  trustRecorded: "Recorded by `ltviz bench what_if` on digits, as the median over the second half of training.",
  trustNobody: "Nobody has measured this method.",
  forcesAt: "Computed at step {step}.",
  forcesLast: "Last computed at step {steps}.",
  forcesFaint: "Last computed at step {steps}; drawn fainter since.",
  steps: "{first} to {last}",
  forceReading: "Force",
  forceReadingNote:
    "How strongly the loss pushed the samples of each class at step {step}, in loss per radian; " +
    "nothing where a class was not in the batch.",
  forceLine: "Force {size} at step {step}",
  forceLineParts: "Force {size} at step {step} ({parts})",
  trails: "Trails",
  trailsLead: "Trails:",
  trailLength: "Length of the trails",
  trailFrames: "last {count} frames",

  // What theory says.
  theory: "Predicted configuration",
  theoryHint: "Dashed: where theory says that the run's own loss ends with these class counts, turned onto the centres",
  theoryWord: "predicted",
  theorySeveral:
    "Where theory says that each run's own loss ends with its class counts, turned onto the centres: a limit, not a " +
    "forecast.",

  // A sample, a class, their neighbours.
  samplesAndRank: "{count} training samples, rank {rank} of {classes}",
  splits: ["Training sample {id}", "Test sample {id}", "Validation sample {id}"],
  absent: "Not among the samples of this step",
  recognised: "Recognised",
  takenFor: "Taken for {name}",
  answered: "Answered {name}",
  sure: "{share} sure",
  lossIs: "loss {loss}",
  lossAbove: "loss above {loss}",
  fromCentre: "{angle} from the centre of its class",
  fromTarget: "{angle} from its target",
  pictureAngles: "These are angles in the picture, not in the embedding.",
  classCentre: "Centre of the class",
  classCentreIn: "Centre of the class, {group}",
  groups: ["head", "medium", "tail"],
  centreOf: "Centre, territory and cap are of its {samples}",
  samplesOf: {
    training: "training samples",
    all: "samples, for nothing tells training and test samples apart here",
    some: "training samples, or of all samples where a run does not tell them apart",
  },
  capSign: "95 % of a class",
  capIs: "The cone around a class's centre that holds 95 % of its {samples}.",
  centreIs: "The mean direction of a class's {samples}.",
  territorySign: "territory",
  territoryBorder: "A border lies midway between two neighbouring centres, which are of {samples}.",
  testsShown: "{count} test samples shown",
  territoryIs: "Territory: {share} of the sphere, {data} of the data",
  nearestProjected: "Nearest in each picture",
  nearest: "Nearest in each panel",
  neighbours: "{count} neighbours",
  kin: "{own} of {known} neighbours are of its class",
  kinLabelled: "{own} of {known} labelled neighbours are of its class",
  ownClass: "Of its own class",
  neighbourRow: "{title}: {kin}, {names}",
  momentTitle: "{title}, step {step}",
  nameAndSample: "{name}, sample {id}",
  howMany: "{count} × {name}",

  // Selection.
  selected: "{count} samples selected in every panel",
  selectedOf: "{count} samples selected in every panel, of class {names}",
  selectedOfSeveral: "{count} samples selected in every panel, of classes {names}",
  selectedOfMany: "{count} samples selected in every panel, of classes {names}, …",
  saveCsv: "Save CSV",
  clear: "Clear",
  selection: {
    samples: ["Selected", "Selected samples that this run's probe holds."],
    right: ["Recognised", "Share of the selected samples that the method's own classifier gives their class."],
    confidence: ["Confidence", "Mean probability that the classifier gives to the class it predicts."],
    loss: ["Loss", "Mean loss of the method's own classifier for the true class."],
    angle: [
      "To own centre",
      "Mean angle between a selected sample and the centre of its class, as the picture shows them.",
    ],
  },

  // Panels, their numbers and strips; the table; the badge.
  starting: "starting",
  stateAtStep: "{state}, step {step}",
  reading: "Reading",
  notKnown: "not known yet",
  range: "{low} to {high}",
  readingOf: "{name}: {value}",
  readingByClass: "{title} by class, head to tail: {values}",
  method: "Method",
  lower: "Lower is better.",
  higher: "Higher is better.",
  near: "Near its ideal value is best.",
  latency: "{ms} ms",
  rate: "{rate} frames/s",
  points: "{count} points",
  skipped: "{count} skipped",
  badgeNote:
    "From a frame's completion on disk to the screen (median), frames received a second in each panel, " +
    "points drawn, frames that a newer one overtook.",
  picturesDrawn: "Pictures drawn a second: {count}.",
  levels: [
    "",
    "fewer pixels",
    "fewer pixels, 20 pictures a second",
    "no motion between frames",
    "no motion between frames, coarser pixels",
    "no motion between frames, coarser pixels, 25,000 points at most while it moves",
  ],

  // What is taken away.
  ...savingWords,

  /** Of a projection: the short name of a meter, its title, and what its number means. */
  honesty: {
    kept_angle_order: {
      name: "order",
      title: "Order of the angles kept",
      short:
        "Whether pairs of points that are further apart in the embedding are further apart here too (Spearman's " +
        "rank correlation): 100 % keeps the order, 0 % tells nothing.",
    },
    kept_centre_order: {
      name: "centres",
      title: "Order of the angles between class centres kept",
      short:
        "The same for the centres of the classes alone. A picture can keep one and lose the other: most pairs of " +
        "points are of a few large classes, but every class has one centre.",
    },
    kept_variance: {
      name: "variance",
      title: "Variance kept",
      short: "Share of the spread of the points that this picture shows; the rest lies in directions it cannot show.",
    },
    trustworthiness: {
      name: "trust",
      title: "Trustworthiness",
      short:
        "Whether points that are neighbours here are neighbours in the embedding: 100 % means no false neighbours.",
    },
    jitter: {
      name: "jitter",
      title: "Jitter",
      short:
        "How far points moved in the picture since the frame before, in radii of the sphere: the less the view " +
        "itself moves, the lower.",
    },
  },
};

/** @typedef {typeof OWN} Words */

/** What the stage says now. @type {Words} */
export const words = { ...OWN };

/** Small numbers in words. */
export const NUMBERS = ["no", "one", "two", "three", "four", "five", "six"];

/** The page's own words take the place of ours, for all that is said from now on. @param {Partial<Words>} [given] */
export function useWords(given = {}) {
  Object.assign(words, OWN, given);
}

/** Fills {names} in a sentence. @param {string} sentence @param {Record<string, unknown>} values */
export const fill = (sentence, values) =>
  sentence.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
