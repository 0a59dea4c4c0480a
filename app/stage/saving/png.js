/** The stage as a PNG: the picture at double size, with titles, numbers and names of classes written in. */
import { download, fileName } from "./files.js";
import { Sheet } from "./sheet.js";

const SCALE = 2;

/** @param {import("../view.js").StageView} stage */
export async function savePng(stage) {
  stage.writeTexts();
  const sheet = new Sheet(stage);
  sheet.fit(SCALE);
  const canvas = sheet.draw(performance.now());
  sheet.release();
  /** @type {Blob|null} */
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (!blob)
    throw new Error(
      `The PNG of ${canvas.width} x ${canvas.height} pixels could not be made; show fewer panels or make the window smaller.`,
    );
  download(blob, fileName(stage, "png"));
}
