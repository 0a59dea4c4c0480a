/** Declared marks that are circles around places: dashed, for they are what a method believes and nobody measured. */
import { ANGLE_SCALE } from "../../common/messages.js";
import { capFills } from "../../scene/spread.js";
import { cap, placeAt } from "../../scene/strokes.js";
import { fill, words } from "../../words.js";
import { normalize } from "../../common/vectors.js";
import { GLYPHS } from "../glyphs.js";
import { inLegend, isItself, LEVEL } from "../layer.js";

/** @typedef {import("../../common/types.js").Mark} Mark */

/** What a method believes may be wide and overlap: its fill is fainter than that of the measured caps. */
const STRENGTH = 0.4;
const DASHES = 22;

/** @param {Mark} mark @returns {Pick<import("../layer.js").Layer, "level"|"draw"|"sign">} */
export const capsOf = (mark) => ({
  level: LEVEL.PAIRS,
  draw: (to, scene) => drawCaps(to, scene, mark),
  sign: (runs) => {
    const some = runs.filter((run) => run.frame && run.declares(mark.key));
    if (some.some((run) => run.frame?.marks.get(mark.key)?.angle))
      return { word: inLegend(mark.title), text: mark.short, ...GLYPHS.cap };
    if (!some.length || some.some(isItself)) return null;
    return {
      word: fill(words.onlyAtThree, { title: inLegend(mark.title) }),
      text: words.noCaps,
      ...GLYPHS.cap,
      quiet: true,
    };
  },
});

/**
 * @param {import("../../scene/strokes.js").Sheets} to @param {import("../layer.js").Scene} scene @param {Mark} mark
 */
function drawCaps(to, { run, k, colours, ink, faded, shows }, { key }) {
  const { places, angle, y } = run.markAt(key, k) ?? {};
  if (!places || !angle || !y) return 0;
  const centres = Array.from(y, (_, i) => placeAt(places, i));
  const angles = Array.from(angle, (v) => (v < 180 * ANGLE_SCALE ? (v / ANGLE_SCALE / 180) * Math.PI : 0));
  // Both kinds of caps are fills over the same places, which wear no more of both than of one.
  const fills = capFills(centres, angles, shows("caps") ? STRENGTH / 2 : STRENGTH);
  let drawn = 0;
  centres.forEach((p, i) => {
    if (!angles[i]) return;
    cap(to, normalize(p), angles[i], colours[y[i]] ?? ink, faded(y[i]), fills[i], DASHES);
    drawn++;
  });
  return drawn;
}
