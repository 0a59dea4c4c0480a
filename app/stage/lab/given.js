/** What the lab gives its stage, where a page gives another what its server knows. Pure but for the address. */
import { panelsOf } from "./panels.js";
import { VIEW } from "./source.js";
import { labWords as words } from "./words.js";

/** @typedef {import("../common/types.js").StageData} StageData */

/** @type {[keyof typeof words.measures, string, "lower"|"higher"|null][]} */
const MEASURES = [
  ["simplex_deviation_max", "", "lower"],
  ["centre_sum", "", "lower"],
  ["min_centre_angle", "degrees", "higher"],
  ["smallest_head", "degrees", "higher"],
  ["smallest_tail", "degrees", "higher"],
  ["loss", "", null],
  // Without a unit: a tenth of a degree counts here.
  ["theory_error", "", "lower"],
  ["simplex_error", "", "lower"],
  ["smallest_tail_rows", "degrees", "higher"],
];

/** @param {import("./lab.js").LabData} data @param {import("./settings.js").Settings} settings @returns {StageData} */
export function stageDataOf(data, settings) {
  const asked = new URLSearchParams(data.lesson ? "" : location.search),
    step = asked.get("step");
  const projections = Object.entries(words.views).map(([name, [title, short]]) => ({
    name,
    title,
    short,
    ...(name === "simplex" ? { classes: 4 } : {}),
  }));
  /** @type {Partial<Record<string, string>>} */
  const names = words.names;
  const measures = MEASURES.map(([key, unit, better]) => {
    const [title, short] = words.measures[key];
    const needs = key === "simplex_deviation_max";
    return { key, unit, better, title, name: names[key] ?? title, short, simplex: needs, sphere: true };
  });
  return {
    stream: "/",
    token: "",
    runs: panelsOf(settings).map(({ id }) => id),
    hz: 20,
    step: step !== null && /^\d{1,9}$/.test(step) ? Number(step) : null,
    theme: data.theme,
    ramp: data.ramp,
    categorical: data.categorical,
    measures,
    panel: [measures[0], measures[2]],
    projections,
    projection: asked.get("projection") ?? VIEW,
    words: { ...words.stage, ...data.lesson?.words },
    view: "geometry",
    // No server is behind it, in the app either.
    replay: true,
    guest: data.lesson !== undefined,
    scene: data.lesson?.scene ?? null,
    reduced: data.reduced,
    controls: data.controls,
    wait: data.lesson?.wait ?? null,
    told: data.lesson?.told,
  };
}
