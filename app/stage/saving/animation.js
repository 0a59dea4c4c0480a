/** The timeline as a GIF. */
import { download, fileName } from "../common/files.js";
import { film } from "./filming.js";
import { askForFilm } from "./filmdialog.js";
import { GifWriter, MOST_COLOURS } from "./gif.js";
import { choosePalette, Histogram, Matcher } from "./palette.js";
import { words } from "../words.js";
import { Sheet } from "./sheet.js";

/** The end stays a little, unless the camera turns: then the film goes on where it began. */
const REST_MS = 1200;
const SAMPLES = 4;

/** @param {import("../assembly.js").Stage} stage */
export function saveGif(stage) {
  return askForFilm(
    stage,
    words.gifTitle,
    words.gifNote,
    async ({ steps, width, fps, path, from, caption }, report, signal) => {
      const sheet = new Sheet(stage),
        count = steps.length,
        histogram = new Histogram();
      sheet.fitFilm(width, caption);
      const shots = [...samplesOf(steps), ...steps.map((step, at) => ({ step, at }))];
      const pixels = (/** @type {number} */ index, /** @type {number} */ now) => {
        const { width: w, height: h } = sheet.draw(now),
          { step, at } = shots[index];
        sheet.drawTime(step, at / (count - 1));
        return sheet.pen.getImageData(0, 0, w, h).data;
      };
      /** @type {{gif: GifWriter, matcher: Matcher}|null} */
      let writing = null;
      try {
        for await (const { index, now } of film(stage, { shots, count, path, from, signal })) {
          if (index < SAMPLES) {
            histogram.add(pixels(index, now));
            continue;
          }
          writing ??= begin(sheet, choosePalette(histogram, MOST_COLOURS, exactColours(stage)));
          const last = index === SAMPLES + count - 1 && path !== "turn";
          writing.gif.add(writing.matcher.match(pixels(index, now)), last ? REST_MS : 1000 / fps);
          report(index - SAMPLES + 1);
        }
      } finally {
        sheet.release();
      }
      if (writing) download(new Blob(writing.gif.finish(), { type: "image/gif" }), fileName(stage, "gif"));
    },
  );
}

/**
 * Colours are chosen once for the whole film, from a few of its pictures. @param {number[]} steps
 * @returns {import("./filming.js").Shot[]}
 */
const samplesOf = (steps) =>
  Array.from({ length: SAMPLES }, (_, i) => Math.round((i * (steps.length - 1)) / (SAMPLES - 1))).map((at) => ({
    step: steps[at],
    at,
  }));

/** @param {Sheet} sheet @param {Uint8Array} palette */
const begin = ({ canvas }, palette) => ({
  gif: new GifWriter(canvas.width, canvas.height, palette),
  matcher: new Matcher(palette),
});

/**
 * Paper, ink, classes and methods. @param {import("../assembly.js").Stage} stage
 * @returns {number[][]} r, g, b of 0 to 255
 */
function exactColours({ picture, choices }) {
  const { shown } = picture;
  const { theme } = choices.now;
  const colours = theme ? [theme.page, theme.ink, ...shown.flatMap((run) => run.colours)] : [];
  // Mixtures with the page, which shade everything, need room too.
  return colours.slice(0, MOST_COLOURS / 3).map((rgb) => rgb.map((v) => Math.round(v * 255)));
}
