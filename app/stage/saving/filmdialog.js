/** Asks how a film is to be: how long, how large, how fast, along which way; then shows how far it is. */
import { HOME } from "../scene/camera.js";
import { openDialog } from "../common/dialog.js";
import { make, setText } from "../common/dom.js";
import { fill, words } from "../words.js";
import { thinSteps } from "./filming.js";

/** @typedef {import("./filming.js").CameraPath} CameraPath */
/**
 * @typedef {{steps: number[], width: number, fps: number, path: CameraPath, from: import("../common/types.js").Pose,
 * caption: string}}
 * FilmPlan
 */

export const MOST_FRAMES = 120;
const MOST_LETTERS = 240;
const USUAL_FRAMES = 60,
  WIDTHS = [480, 640, 800, 1080, 1440],
  USUAL_WIDTH = 800,
  RATES = [4, 6, 8, 12, 16, 24],
  USUAL_RATE = 8;

/**
 * @param {import("../assembly.js").Stage} stage @param {string} title @param {string} note what will be made
 * @param {(plan: FilmPlan, report: (done: number) => void, signal: AbortSignal) => Promise<void>} work
 * @returns {Promise<void>} when the film is made or given up @throws {Error} what `work` throws, and where there is
 * nothing to film
 */
export function askForFilm(stage, title, note, work) {
  const { steps } = stage.timeline,
    most = Math.min(MOST_FRAMES, steps.length);
  if (most < 2) throw new Error(words.filmShort);
  const frames = make("input", "ltv-entry", {
    type: "number",
    min: "2",
    max: String(most),
    value: String(Math.min(USUAL_FRAMES, most)),
  });
  const width = choice(
    WIDTHS.map((w) => [String(w), fill(words.filmWidth, { width: w })]),
    String(USUAL_WIDTH),
  );
  const rate = choice(
    RATES.map((r) => [String(r), fill(words.filmRate, { rate: r })]),
    String(USUAL_RATE),
  );
  const path = choice(Object.entries(words.filmPaths), "still");
  const caption = make("input", "ltv-entry", { type: "text", maxlength: String(MOST_LETTERS) });
  caption.placeholder = words.filmCaptionNone;
  caption.value = (stage.data.caption ?? "").slice(0, MOST_LETTERS);
  let from = { ...HOME };
  const start = make("button", "ltv-plain", { type: "button", hidden: "" }, words.filmFirst);
  const said = make("p", "ltv-quiet", {}, note),
    bar = make("progress", "", { max: "1", value: "0", hidden: "", "aria-label": title });
  const begin = make("button", "ltv-primary", { type: "button" }, words.filmBegin);
  path.addEventListener("change", () => {
    start.hidden = path.value !== "flight";
    setText(said, start.hidden ? note : words.filmFlight);
  });
  start.addEventListener("click", () => {
    from = { ...stage.picture.camera.goal };
    setText(said, words.filmTaken);
  });
  const giveUp = new AbortController();
  return new Promise((done, failed) => {
    const dialog = openDialog(
      stage.root,
      title,
      () => {
        giveUp.abort();
        done();
      },
      row(words.filmFrames, frames),
      row(words.filmSize, width),
      row(words.filmSpeed, rate),
      row(words.filmCamera, path),
      row(words.filmCaption, caption),
      start,
      said,
      bar,
      begin,
    );
    begin.addEventListener("click", async () => {
      if (!bar.hidden) return dialog.close();
      const count = Math.min(most, Math.max(2, Math.round(Number(frames.value)) || most));
      /** @type {FilmPlan} */
      const plan = {
        steps: thinSteps(steps, count),
        width: Number(width.value),
        fps: Number(rate.value),
        path: /** @type {CameraPath} */ (path.value),
        from,
        caption: caption.value.trim(),
      };
      for (const field of [frames, width, rate, path, start, caption]) field.disabled = true;
      bar.hidden = false;
      setText(begin, words.filmCancel);
      dialog.lock(true);
      const begun = performance.now();
      try {
        await work(
          plan,
          (pictures) => {
            bar.value = pictures / count;
            const left = ((performance.now() - begun) / Math.max(1, pictures)) * (count - pictures);
            setText(said, fill(words.filmProgress, { done: pictures, count, seconds: Math.ceil(left / 1000) }));
          },
          giveUp.signal,
        );
      } catch (error) {
        if (!giveUp.signal.aborted) failed(error);
      }
      dialog.close();
    });
  });
}

/** @param {[string, string][]} options value and name @param {string} value */
function choice(options, value) {
  const select = make("select", "ltv-entry", {}, ...options.map(([v, name]) => make("option", "", { value: v }, name)));
  select.value = value;
  return select;
}

/** @param {string} name @param {HTMLElement} field */
const row = (name, field) => make("label", "ltv-row", {}, make("span", "", {}, name), field);
