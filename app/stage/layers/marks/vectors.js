/** Declared marks that are one direction a class, as arrows from the centres in the classes' colours. */
import { arrowEnd, LONGEST, longestOf } from "../../scene/forces.js";
import { arrow } from "../../scene/strokes.js";
import { GLYPHS } from "../glyphs.js";
import { inLegend, LEVEL, own } from "../layer.js";

/** @typedef {import("../../common/types.js").Mark} Mark */

const WIDTH = 1.9;

/** @param {Mark} mark @returns {Pick<import("../layer.js").Layer, "level"|"draw"|"sign">} */
export const vectorsOf = (mark) => ({
  level: LEVEL.ARROWS,
  draw: (to, scene) => drawArrows(to, scene, mark),
  sign: (runs) =>
    runs.some(({ frame }) => own(frame?.header.vectors, mark.key))
      ? { word: inLegend(mark.title), text: mark.short, ...GLYPHS.arrow }
      : null,
});

/**
 * @param {import("../../scene/strokes.js").Sheets} to @param {import("../layer.js").Scene} scene @param {Mark} mark
 */
function drawArrows(to, { run, centres, colours, ink, faded }, { key }) {
  const header = run.frame?.header;
  const rows = own(header?.vectors, key) ?? [];
  const longest = longestOf(rows);
  if (!longest) return 0;
  let drawn = 0;
  rows.forEach((row, c) => {
    const m = centres[c];
    const end = m && row && arrowEnd(m, row, LONGEST / longest, Boolean(header?.projection));
    if (!m || !end) return;
    arrow(to.lines, m, end, colours[c] ?? ink, faded(c), -WIDTH);
    drawn++;
  });
  return drawn;
}
