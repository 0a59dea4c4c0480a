/** Starts a lesson in a file of its own: text, questions, answers and recordings stand in the page. */
import { Stage } from "./assembly.js";
import { make } from "./common/dom.js";
import { publishTelemetry } from "./common/telemetry.js";
import { workersOf } from "./common/worker.js";
import { ReplaySource } from "./incoming/replay.js";
import { Tracks } from "./incoming/tracks.js";
import { LessonPlayer } from "./lesson/player.js";
import { LessonPicture } from "./lesson/picture.js";
import { fill, words } from "./words.js";

/**
 * @typedef {object} Contents
 * @property {import("./lesson/player.js").LessonText} lesson
 * @property {import("./lesson/verdict.js").LessonWords} words
 * @property {import("./common/types.js").StageData} stage
 * @property {import("./lesson/picture.js").LabGiven} [lab]
 * @property {{run: string, state: Record<string, any>, header: string, frames: string[]}[]} runs
 */

async function start() {
  const place = /** @type {HTMLElement} */ (document.getElementById("lesson"));
  try {
    const contents = /** @type {Contents} */ (JSON.parse(document.getElementById("contents")?.textContent ?? ""));
    const tracks = new Tracks(contents.stage.runs, Infinity);
    const given = contents.runs.map((run) => ({ ...run, generation: "file", steps: run.state.steps }));
    if (given.length) await tracks.take({ n: 1, anew: true, more: false, live: false, runs: given });
    const picture = new LessonPicture(contents.stage, contents.lab ?? null, {
      stage: (data) => new Stage(data, publishTelemetry(), (options) => new ReplaySource(tracks, options)),
      labStage: (data, open) => new Stage(data, publishTelemetry(), open),
      workers: workersOf,
    });
    new LessonPlayer(contents.lesson, contents.words, picture).attach(place);
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    place.replaceChildren(make("p", "", {}, fill(words.cannotOpen, { reason })));
  }
}

start();
