/** The timeline as a film: MP4 where the browser can write it, else WebM. */
import { download, fileName } from "../common/files.js";
import { film } from "./filming.js";
import { askForFilm } from "./filmdialog.js";
import { words } from "../words.js";
import { Sheet } from "./sheet.js";

/** @typedef {{type: string, suffix: "mp4"|"webm"}} Format */

/** @type {Format[]} the most widely played first */
const FORMATS = [
  { type: "video/mp4;codecs=avc1.640028", suffix: "mp4" },
  { type: "video/mp4;codecs=avc1.42E01E", suffix: "mp4" },
  { type: "video/mp4", suffix: "mp4" },
  { type: "video/webm;codecs=vp9", suffix: "webm" },
  { type: "video/webm", suffix: "webm" },
];
const BITS_PER_PIXEL = 0.9,
  REST_MS = 1200,
  CLOSING_MS = 60;

/** @param {(type: string) => boolean} supports @returns {Format|null} null: this browser writes no film */
export const chooseFormat = (supports) => FORMATS.find(({ type }) => supports(type)) ?? null;

/** @param {import("../assembly.js").Stage} stage */
export function saveMovie(stage) {
  const format =
    typeof MediaRecorder === "undefined" ? null : chooseFormat((type) => MediaRecorder.isTypeSupported(type));
  if (!format) throw new Error(words.filmNone);
  const note = format.suffix === "mp4" ? words.filmMp4 : words.filmWebm;
  return askForFilm(
    stage,
    words.filmTitle,
    note,
    async ({ steps, width, fps, path, from, caption }, report, signal) => {
      const sheet = new Sheet(stage);
      sheet.fitFilm(width, caption);
      const recording = record(sheet.canvas, format, fps);
      const shots = steps.map((step, at) => ({ step, at }));
      try {
        for await (const { index, now } of film(stage, { shots, count: steps.length, path, from, signal })) {
          sheet.draw(now);
          sheet.drawTime(steps[index], index / (steps.length - 1));
          await recording.take(index === steps.length - 1 ? REST_MS : 1000 / fps);
          report(index + 1);
        }
        download(await recording.end(), fileName(stage, format.suffix));
      } finally {
        recording.drop();
        sheet.release();
      }
    },
  );
}

/**
 * The recorder counts real time, so it is stopped while a picture is being prepared.
 * @param {HTMLCanvasElement} canvas @param {Format} format @param {number} fps
 */
function record(canvas, format, fps) {
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const stream = canvas.captureStream(0),
    track = /** @type {CanvasCaptureMediaStreamTrack} */ (stream.getVideoTracks()[0]);
  const recorder = new MediaRecorder(stream, {
    mimeType: format.type,
    videoBitsPerSecond: Math.round(canvas.width * canvas.height * Math.max(8, fps) * BITS_PER_PIXEL),
  });
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const wait = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));
  return {
    /** Takes the canvas as it is. @param {number} ms how long the picture stays */
    async take(ms) {
      if (recorder.state === "inactive") recorder.start();
      else recorder.resume();
      track.requestFrame();
      // Only a canvas that is painted on is looked at, and this paints nothing new.
      pen.drawImage(canvas, 0, 0);
      await wait(ms);
      recorder.pause();
    },
    /** @returns {Promise<Blob>} */
    async end() {
      if (recorder.state === "inactive") throw new Error(words.filmEmpty);
      // A picture lasts until the next: the last one needs another after it.
      await this.take(CLOSING_MS);
      await new Promise((done) => {
        recorder.onstop = done;
        recorder.stop();
      });
      const blob = new Blob(parts, { type: format.type.split(";")[0] });
      // A busy machine's encoder may not have got a single picture by now, and says nothing of it.
      if (!blob.size) throw new Error(words.filmEmpty);
      return blob;
    },
    drop() {
      if (recorder.state !== "inactive") recorder.stop();
      track.stop();
    },
  };
}
