/** The stage as a PNG: the picture at double size, with titles, numbers and names of classes written in. */
import { download, fileName } from "../common/files.js";
import { fill, words } from "../words.js";
import { Sheet } from "./sheet.js";

const SCALE = 2;

/** @param {import("../assembly.js").Stage} stage */
export async function savePng(stage) {
  stage.writeTexts();
  const sheet = new Sheet(stage);
  sheet.fit(SCALE);
  const canvas = sheet.draw(performance.now());
  sheet.release();
  /** @type {Blob|null} */
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error(fill(words.pngFailed, { width: canvas.width, height: canvas.height }));
  download(blob, fileName(stage, "png"));
}
