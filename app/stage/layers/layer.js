/** What a layer is, and whether it is on. Pure. */
import { words } from "../words.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../common/types.js").Vec3} Vec3 */
/** @typedef {import("../common/colours.js").Rgb} Rgb */
/** @typedef {import("../scene/strokes.js").Sheets} Sheets */
/**
 * @typedef {{word: string, text: string, path: string, filled: boolean, quiet?: boolean}} Sign an entry of the legend:
 * its word, its sentence, its glyph; quiet: there, but not drawn here
 */

/**
 * @typedef {object} Scene   one run as a panel shows it at one moment
 * @property {Run} run
 * @property {number} k             progress of its move, 0 to 1
 * @property {(Vec3|null)[]} centres  of the classes, as the eye sees them
 * @property {Rgb[]} colours        of the classes
 * @property {Rgb} ink
 * @property {Rgb} page
 * @property {number} scale         sizes follow the panel: 1 at 300 pixels
 * @property {ReadonlySet<number>|null} chosen  classes in focus; null: all
 * @property {(c: number) => number} faded  how strong a class is drawn: less where others are in focus
 * @property {(key: string) => boolean} shows  whether another built-in layer is on
 * @property {import("../scene/forces.js").ForceLook} forces
 * @property {number} trail         frames that trails reach back
 */

/**
 * @typedef {object} Layer   something on the stage that can be switched on and off; one object, in one file
 * @property {string} key      its name in links and telemetry
 * @property {string} title    in the menu
 * @property {string} hint     hover text there; "": none
 * @property {boolean} on      before anybody chose
 * @property {number} [level]  one of LEVEL, where it is drawn
 * @property {string} [group]  the word that old links use for it and others like it
 * @property {(run: Run) => any} [prepare]  what drawing needs of a frame and is dear: computed once a frame
 * @property {(to: Sheets, scene: Scene, prepared: any) => number} [draw]  how many of its things were drawn
 * @property {(runs: Run[], chosen: import("../scene/choices.js").Chosen) => Sign|null} [sign]  its entry of the legend;
 * null: these runs have nothing of it
 */

/** Layers of a lower level are drawn first, and lie under the others. */
export const LEVEL = { GROUND: 0, PAIRS: 1, PLACES: 2, ARROWS: 3, CENTRES: 4 };

/**
 * Whether a layer is on. @param {Layer} layer
 * @param {Readonly<Record<string, boolean>>} chosen by key, or by the word of an old link; what is as usual is absent
 */
export const isOn = ({ key, group = key, on }, chosen) => own(chosen, key) ?? own(chosen, group) ?? on;

/**
 * What a record holds under a name from outside, which may be that of something every object has.
 * @template T @param {Readonly<Record<string, T>>|undefined} record @param {string} name @returns {T|undefined}
 */
export function own(record, name) {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

/**
 * Whether the picture is the embedding itself, so that an angle on it is one. @param {Run} run
 */
export const isItself = (run) => run.info?.header.dim === 3 && !run.frame?.header.projection;

/**
 * Of which samples centres, caps and territories are, in words. @param {Run[]} runs
 */
export function samplesOf(runs) {
  const apart = runs.filter((run) => run.tellsApart).length;
  return words.samplesOf[apart === 0 ? "all" : apart === runs.length ? "training" : "some"];
}

/**
 * A title as it stands in the legend, in the midst of a line: "Two views" is "two views", and "NCM" stays.
 * @param {string} title
 */
export const inLegend = (title) =>
  /^\p{Lu}\p{Lu}/u.test(title) ? title : title.charAt(0).toLowerCase() + title.slice(1);
