/** Starts the stage in a replay file: everything it needs stands in the page. */
import { make } from "./common/dom.js";
import { ReplaySource } from "./incoming/replay.js";
import { Tracks } from "./incoming/tracks.js";
import { publishTelemetry } from "./common/telemetry.js";
import { fill, words } from "./words.js";
import { Stage } from "./assembly.js";

/**
 * @typedef {{data: import("./common/types.js").StageData, runs: {run: string, state: Record<string, any>, header: string,
 * frames: string[]}[]}} Contents
 */

/**
 * What a page around a frame asks for: the stage alone, and its own colours.
 * @param {URLSearchParams} query @returns {"light"|"dark"|null} the theme, where one is asked for
 */
function dress(query) {
  const page = document.documentElement.dataset,
    theme = query.get("theme");
  if (query.get("embed") === "1") page.embed = "";
  if (theme !== "light" && theme !== "dark") return null;
  page.theme = theme;
  return theme;
}

async function start() {
  const place = /** @type {HTMLElement} */ (document.getElementById("stage"));
  try {
    const { data, runs } = /** @type {Contents} */ (
      JSON.parse(/** @type {HTMLElement} */ (document.getElementById("contents")).textContent ?? "")
    );
    const tracks = new Tracks(data.runs, Infinity);
    const given = runs.map((run) => ({ ...run, generation: "file", steps: run.state.steps }));
    await tracks.take({ n: 1, anew: true, more: false, live: false, runs: given });
    const query = new URLSearchParams(location.search),
      asked = query.get("step"),
      step = asked !== null && /^\d{1,12}$/.test(asked) ? Number(asked) : data.step,
      theme = dress(query) ?? data.theme;
    const stage = new Stage(
      { ...data, step, theme },
      publishTelemetry(),
      (options) => new ReplaySource(tracks, options),
    );
    place.replaceChildren();
    stage.attach(place);
  } catch (error) {
    place.replaceChildren(
      make("p", "", {}, fill(words.cannotOpen, { reason: error instanceof Error ? error.message : error })),
    );
  }
}

start();
