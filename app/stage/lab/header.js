/** Who a panel of the lab is, in the words of the stream: `RunHeader` and what its points are. Pure. */
import { shades } from "../common/colours.js";
import { fill } from "../words.js";
import { LOSSES } from "./losses/list.js";
import { third } from "./measures.js";
import { panelsOf, settingsFor } from "./panels.js";
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

/**
 * What an option is set to, in a word or two. @param {keyof typeof words.tags} name
 * @param {number|string|boolean} value
 */
function tagOf(name, value) {
  const said = /** @type {any} */ (words.tags[name]);
  if (typeof said === "string") return fill(said, { value: Number(Number(value).toPrecision(3)) });
  return said[typeof value === "boolean" ? Number(value) : value];
}

/**
 * What a person calls each panel: its loss, and where a loss stands in several panels what tells it from the others.
 * @param {Settings} settings @returns {Map<string, string>} by id
 */
export function titlesOf(settings) {
  const panels = panelsOf(settings);
  /** @type {Map<string, string>} */
  const titles = new Map();
  for (const { id, loss, own } of panels) {
    const alike = panels.filter((other) => other.loss === loss),
      // One that has nothing of its own has what is set for all, where the others differ.
      tells = Object.keys(own).length ? [{ own }] : alike,
      set = LOSSES[loss].options.filter((name) => tells.some((other) => other.own[name] !== undefined)),
      values = settingsFor(settings, { id, loss, own });
    const name = words.lossTitles[/** @type {keyof typeof words.lossTitles} */ (loss)][0];
    const title = [name, ...set.map((option) => tagOf(option, values[option]))].join(" · ");
    const again = [...titles.values()].filter((other) => other === title || other.startsWith(`${title} (`)).length;
    titles.set(id, again ? `${title} (${again + 1})` : title);
  }
  return titles;
}

/** The colour of each panel: that of its loss, in another shade where it stands there again. @param {Settings} settings
 * @param {Looks} looks @returns {Map<string, string>} by id */
export function coloursOf(settings, looks) {
  const panels = panelsOf(settings);
  return new Map(
    panels.map(({ id, loss }) => {
      const alike = panels.filter((other) => other.loss === loss);
      return [id, shades(looks[loss]?.colour ?? "#888888", alike.length)[alike.findIndex((other) => other.id === id)]];
    }),
  );
}

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

/** @param {Settings} settings @param {Looks} looks */
export function headersOf(settings, looks) {
  const titles = titlesOf(settings),
    colours = coloursOf(settings, looks);
  return new Map(
    panelsOf(settings).map(({ id, loss }) => [
      id,
      headerOf(id, loss, settings, titles.get(id) ?? loss, colours.get(id) ?? "#888888"),
    ]),
  );
}

/** @param {string} id @param {string} loss @param {Settings} settings @param {string} title @param {string} colour */
function headerOf(id, loss, settings, title, colour) {
  const labels = labelsOf(settings),
    { classes, dim } = settings,
    group = third(classes),
    landmark = LANDMARKS[LOSSES[loss].columns];
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
    title,
    method: LOSSES[loss].method,
    colour,
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
