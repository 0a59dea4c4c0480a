/** The stage as a PNG: the picture at double size, with titles, numbers and names of classes written in. */
import { toHex } from "./colours.js";
import { formatMeasure } from "./numbers.js";
import { download } from "./selection.js";

const SCALE = 2, FONT = "system-ui, sans-serif";

/**
 * @param {import("./picture.js").Picture} picture @param {() => void} redraw @param {import("./runs.js").Run[]} runs
 * @param {import("./types.js").Measure[]} measures
 */
export async function savePicture(picture, redraw, runs, measures) {
  const { renderer, canvas, size, theme, rects, shown } = picture;
  if (!theme) return;
  renderer.resize(size.w, size.h, SCALE);
  // Drawn and copied within one task: afterwards the browser may clear the canvas.
  redraw();
  const sheet = document.createElement("canvas"), pen = /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d"));
  sheet.width = canvas.width;
  sheet.height = canvas.height;
  pen.drawImage(canvas, 0, 0);
  picture.fit();
  redraw();
  pen.scale(SCALE, SCALE);
  pen.textBaseline = "middle";
  rects.forEach((rect, i) => {
    const run = shown[i], { frame, view } = rect;
    if (!run) return;
    pen.textAlign = "left";
    pen.fillStyle = toHex(theme.ink);
    pen.font = `600 15px ${FONT}`;
    pen.fillText(run.title, frame.x + 10, frame.y + 15);
    pen.font = `12px ${FONT}`;
    const metrics = run.frame?.header.metrics ?? {};
    const facts = ["accuracy_few", "centre_sum"].filter((key) => metrics[key] !== undefined)
      .map((key) => `${measures.find((m) => m.key === key)?.title ?? key} ${formatMeasure(metrics[key], measures.find((m) => m.key === key)?.unit ?? "")}`);
    pen.textAlign = "center";
    pen.fillText([`step ${run.frame?.header.step ?? "–"}`, ...facts].join("   "), frame.x + frame.w / 2, view.y + view.h + 13);
    if (!picture.layers.labels) return;
    const place = picture.placer(rect);
    pen.font = `600 12px ${FONT}`;
    // Clear of the ring around the centre, which grows with the panel.
    const above = 8 + 6.4 * Math.min(1.7, view.h / 300) * 1.2;
    run.marksAt("centres", 1).forEach((m, c) => {
      if (!m) return;
      const [x, y, w] = place(m);
      pen.globalAlpha = w > picture.camera.pose.distance ? 0.4 : 1;
      pen.fillText(run.info?.header.class_names[c] ?? String(c), view.x + x, view.y + y - above);
      pen.globalAlpha = 1;
    });
  });
  const blob = await new Promise((done) => sheet.toBlob(done, "image/png"));
  if (blob) download(blob, `ltviz-${runs.map((run) => run.id).join("-").slice(0, 80)}.png`);
}
