/** Starts the stage in a replay: everything it needs stands in the page, or its frames are files beside it. */
import { make } from "./common/dom.js";
import { ReplaySource } from "./incoming/replay.js";
import { Site } from "./incoming/site.js";
import { Tracks } from "./incoming/tracks.js";
import { publishTelemetry } from "./common/telemetry.js";
import { fill, useWords, words } from "./words.js";
import { Stage } from "./assembly.js";

/**
 * @typedef {{data: import("./common/types.js").StageData, list?: string, runs?: {run: string, state: Record<string, any>,
 * header: string, frames: string[], moves?: string}[]}} Contents   `runs` themselves, or the address of a `list` of their frames
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

/** @param {Contents} contents */
async function held({ data, runs = [] }) {
  const tracks = new Tracks(data.runs, Infinity);
  const given = runs.map((run) => ({ ...run, generation: "file", steps: run.state.steps }));
  await tracks.take({ n: 1, anew: true, more: false, live: false, runs: given });
  return tracks;
}

/** @param {string[]} runs @param {string} list */
function followed(runs, list) {
  if (location.protocol === "file:") throw new Error(words.needsHost);
  const site = new Site(runs, list);
  site.follow();
  return site;
}

async function start() {
  const place = /** @type {HTMLElement} */ (document.getElementById("stage"));
  try {
    const contents = /** @type {Contents} */ (
      JSON.parse(/** @type {HTMLElement} */ (document.getElementById("contents")).textContent ?? "")
    );
    const { data, list } = contents;
    useWords(data.words);
    const tracks = list ? followed(data.runs, list) : await held(contents);
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
