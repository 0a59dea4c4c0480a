/** Declared marks that are places: what a method remembers, and the landmarks it owns. */
import { arc, placeAt, SHAPE, sign } from "../../scene/strokes.js";
import { length, normalize } from "../../common/vectors.js";
import { glyphOf } from "../glyphs.js";
import { inLegend, LEVEL, own } from "../layer.js";

/** @typedef {import("../layer.js").Scene} Scene */
/** @typedef {import("../layer.js").Vec3} Vec3 */
/** @typedef {import("../../common/types.js").Mark} Mark */

/** The landmarks that a frame's `target_index` speaks of. */
const TARGETS = "targets";
const STRONGEST = 0.95;
const FAINTEST = 0.2;
/** A place that is no class's own, a target that no class has. */
const NOBODYS = 0.8;
const FREE_TARGET = 0.6;

/**
 * How strong a memory looks: the newest of them most, the oldest least. @param {number} age steps
 * @param {number} oldest steps
 */
export const strengthOfAge = (age, oldest) =>
  STRONGEST - (STRONGEST - FAINTEST) * (oldest > 0 ? Math.min(1, age / oldest) : 0);

/** @param {Mark} mark @returns {Pick<import("../layer.js").Layer, "level"|"draw"|"sign">} */
export const pointsOf = (mark) => ({
  level: LEVEL.PLACES,
  draw: (to, scene) => drawStored(to, scene, mark) + drawLandmarks(to, scene, mark),
  sign: (runs) =>
    runs.some(({ frame }) => frame?.marks.has(mark.key) || own(frame?.header.landmarks, mark.key))
      ? { word: inLegend(mark.title), text: mark.short, ...glyphOf(mark.sign) }
      : null,
});

/**
 * What a method remembers. @param {import("../../scene/strokes.js").Sheets} to @param {Scene} scene @param {Mark} mark
 */
function drawStored(to, { run, k, colours, ink, faded, scale }, { key, sign: name }) {
  const { places, y, age } = run.markAt(key, k) ?? {};
  if (!places || !y) return 0;
  const { shape = SHAPE.DOT, size = 4 } = glyphOf(name);
  const oldest = age ? age.reduce((most, steps) => Math.max(most, steps), 0) : 0;
  const sheet = shape === SHAPE.MIST ? to.mists : to.signs;
  for (let i = 0; i < y.length; i++) {
    const strength = (age ? strengthOfAge(age[i], oldest) : 1) * faded(y[i]);
    sign(sheet, placeAt(places, i), colours[y[i]] ?? ink, strength, size * scale, shape);
  }
  return y.length;
}

/**
 * Rows of a landmark: one for each class has the classes' colours; any other number of rows says nothing of classes.
 * @param {import("../../scene/strokes.js").Sheets} to @param {Scene} scene @param {Mark} mark
 */
function drawLandmarks(to, { run, k, centres, colours, ink, faded, scale }, { key, sign: name }) {
  const header = run.frame?.header;
  if (!header || !own(header.landmarks, key)) return 0;
  const { shape = SHAPE.DOT, size = 4 } = glyphOf(name);
  const places = run.placesAt(key, k);
  const aims = key === TARGETS && header.target_index;
  const owners = aims ? new Map(aims.map((t, c) => [t, c])) : null;
  let drawn = 0;
  places.forEach((p, row) => {
    if (!p) return;
    const c = owners ? owners.get(row) : places.length === run.numClasses ? row : undefined;
    const colour = (c !== undefined && colours[c]) || ink;
    const strength = c !== undefined ? faded(c) : owners ? FREE_TARGET : NOBODYS;
    const m = aims && c !== undefined ? centres[c] : null;
    if (m) arc(to.lines, m, p, colour, 0.85 * strength, 1.5);
    sign(to.signs, onSphere(p, header), colour, strength, size * scale, shape);
    drawn++;
  });
  return drawn;
}

/**
 * Directions are drawn on the sphere itself; in a projection their length says how much of them is seen.
 * @param {Vec3} p @param {import("../../common/types.js").FrameHeader} header
 */
const onSphere = (p, header) => (header.projection || length(p) < 1e-6 ? p : normalize(p));
