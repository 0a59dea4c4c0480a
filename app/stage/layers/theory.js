/** Where theory says that a run's own loss ends, dashed, and the way each centre, or row of a classifier, still has to go. */
import { arc, SHAPE, sign, stroke } from "../scene/strokes.js";
import { words } from "../words.js";
import { chord, edges } from "./ghost.js";
import { GLYPHS } from "./glyphs.js";
import { LEVEL, own } from "./layer.js";

/** The landmark of frames that holds the places, row c class c, and the mark that says what they are. */
export const THEORY = "theory";
/** The same of a classifier's rows, and the landmark of these. */
const ROWS = "theory_rows",
  CLASSIFIER = "classifier";
export const OWN = [THEORY, ROWS];
const DASHES = 18;

/** @param {import("../incoming/runs.js").Run} run */
const isKnown = ({ frame }) => Boolean(frame && own(frame.header.landmarks, THEORY));

/** @type {import("./layer.js").Layer} */
export const theory = {
  key: THEORY,
  title: words.theory,
  hint: words.theoryHint,
  on: false,
  level: LEVEL.GROUND,
  draw: (to, { run, k, centres, colours, ink, faded, scale }) => {
    if (!isKnown(run)) return 0;
    const places = run.placesAt(THEORY, k);
    for (const [a, b] of edges(places)) stroke(to.ground, a, b, ink, 0.3, 1, 0, 14 * chord(a, b));
    let drawn = 0;
    places.forEach((p, c) => {
      if (!p) return;
      const m = centres[c],
        colour = colours[c] ?? ink;
      if (m) arc(to.lines, m, p, colour, 0.8 * faded(c), 1.2, DASHES);
      sign(to.signs, p, colour, 0.9 * faded(c), 4.2 * scale, SHAPE.RING);
      drawn++;
    });
    const rows = run.placesAt(CLASSIFIER, k);
    run.placesAt(ROWS, k).forEach((p, c) => {
      if (!p) return;
      const colour = colours[c] ?? ink;
      if (rows[c]) arc(to.lines, rows[c], p, colour, 0.55 * faded(c), 1, DASHES);
      sign(to.signs, p, colour, 0.6 * faded(c), 3.4 * scale, SHAPE.TRIANGLE);
      drawn++;
    });
    return drawn;
  },
  sign: (runs) => {
    const known = runs.filter(isKnown);
    if (!known.length) return null;
    const told = new Set(known.map(({ info }) => info?.header.marks.find(({ key }) => key === THEORY)?.short));
    const text = told.size === 1 ? [...told][0] : undefined;
    return { word: words.theoryWord, text: text ?? words.theorySeveral, ...GLYPHS.ring };
  },
};
