/** Where a loss pushes each class: arrows along the sphere from the centres. */
import { areFresh, arrowEnd, LONGEST, PARTS, partColour, totalsOf } from "../scene/forces.js";
import { arrow } from "../scene/strokes.js";
import { words } from "../words.js";
import { GLYPHS } from "./glyphs.js";
import { LEVEL } from "./layer.js";

const STALE = 0.45;
const DASHES = 26;
/** What stands beside a part that is lit. */
const UNLIT = 0.16;

/** @type {import("./layer.js").Layer} */
export const forces = {
  key: "forces",
  title: "Forces",
  hint: "Arrows: where the loss pushes each class at this step",
  on: false,
  level: LEVEL.ARROWS,
  draw: (to, { run, centres, ink, page, faded, forces: choice }) => {
    const { own, total, other } = totalsOf(run, choice.under);
    const straight = Boolean(run.frame?.header.projection);
    if (!choice.longest) return 0;
    const fresh = areFresh(run) ? 1 : STALE;
    let drawn = 0;
    /**
     * @param {(import("./layer.js").Vec3|null)[]} rows @param {import("./layer.js").Rgb} colour @param {number} width
     * @param {number} dashes @param {boolean} [lit]
     */
    const put = (rows, colour, width, dashes, lit = false) =>
      rows.forEach((force, c) => {
        const m = centres[c];
        const end = m && force && arrowEnd(m, force, LONGEST / choice.longest, straight);
        if (!m || !end) return;
        // The border keeps an arrow from drowning among points of its own lightness.
        const strength = choice.lit && !lit ? UNLIT : 1;
        arrow(to.lines, m, end, colour, fresh * faded(c) * strength, -width, dashes);
        drawn++;
      });
    put(other, ink, 1.6, DASHES);
    put(total, ink, 2.2, 0);
    // Asked for one by one, and thinner: they lie above.
    for (const part of PARTS) {
      const lit = choice.lit?.has(part) ?? false;
      if (lit || choice.parts.has(part)) put(own[part] ?? [], partColour(part, page), lit ? 2.8 : 1.6, 0, lit);
    }
    return drawn;
  },
  sign: (runs, { forces: { alike } }) =>
    runs.some((run) => run.forces)
      ? {
          word: "force",
          text:
            "An arrow leads from the centre of a class along the negative gradient of the loss: where this step " +
            "pushes its samples. " +
            (alike ? words.forceOneScale : words.forceOwnScale),
          ...GLYPHS.arrow,
        }
      : null,
};
