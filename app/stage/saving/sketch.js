/** The stage as an SVG: what its panels show and say, handed to the writer of the file. */
import { download, fileName } from "./files.js";
import { EXTRAS, UNLABELLED, pointBulks, pointFlags, pointSwatches, ringPieces } from "../scene/outfit.js";
import { formatCount } from "../common/numbers.js";
import { svgOf } from "./svg.js";

/** @typedef {import("../view.js").StageView} StageView */
/** @typedef {import("./svg.js").SketchPanel} SketchPanel */

/** More classes than this are not listed one by one. */
const MOST_LISTED = 30;

/** @param {StageView} stage */
export function saveSvg(stage) {
  if (!stage.picture.theme) return;
  stage.writeTexts();
  download(new Blob([svgOf(sketch(stage))], { type: "image/svg+xml" }), fileName(stage, "svg"));
}

/** @param {StageView} stage @returns {import("./svg.js").Sketch} */
export function sketch(stage) {
  const { picture, parts } = stage,
    theme = /** @type {import("../common/theme.js").Theme} */ (picture.theme);
  const panels = picture.rects.flatMap((rect, i) => (picture.shown[i] ? [panelOf(stage, rect, i)] : []));
  const signs = [...parts.legend.signs.children].map((sign) => {
    const path = sign.querySelector("path");
    return {
      name: sign.textContent ?? "",
      path: path?.getAttribute("d") ?? "",
      filled: path?.getAttribute("fill") !== "none",
    };
  });
  return { width: picture.size.w, height: picture.size.h, theme, panels, swatches: usedSwatches(panels), signs };
}

/**
 * @param {StageView} stage @param {import("../common/types.js").PanelRect} rect @param {number} i
 * @returns {SketchPanel}
 */
function panelOf({ picture, overlay }, rect, i) {
  const run = picture.shown[i],
    { info } = run,
    said = overlay.panels[i],
    { layers, colourMode, chosen, selected } = picture;
  const gauges = said.meter.gauges
    .filter(({ gauge }) => !gauge.hidden)
    .map(({ gauge, value }) => `${gauge.firstChild?.textContent} ${value.textContent}`);
  const meter = said.meter.root.hidden ? "" : [said.meter.badge.textContent, ...gauges].join(", ");
  return {
    rect,
    run,
    pose: picture.poseAt(i),
    title: run.title,
    colour: info?.header.colour ?? "",
    state: said.state.textContent ?? "",
    projection: meter,
    numbers: [...said.numbers.children].map((number) => [...number.children].map((part) => part.textContent).join(" ")),
    look: run.frame && info ? picture.lookOf(run, rect) : null,
    palette: [
      ...run.colours.map((rgb, c) => ({ name: info?.header.class_names[c] ?? String(c), rgb })),
      ...run.extras.map((rgb, e) => ({
        name: EXTRAS[e] === UNLABELLED ? `${UNLABELLED} (${formatCount(run.unlabelled)})` : EXTRAS[e],
        rgb,
      })),
      ...run.values.map((rgb) => ({ name: "", rgb })),
    ],
    swatches: info ? pointSwatches(run, colourMode) : new Uint16Array(),
    flags: info ? pointFlags(run, layers, chosen, selected) : new Uint8Array(),
    bulks: info ? pointBulks(run, layers.sizes) : new Uint8Array(),
    pieces: info ? ringPieces(run) : null,
  };
}

/**
 * Colours that points wear, each once: classes first. @param {SketchPanel[]} panels
 * @returns {{name: string, rgb: import("../scene/colours.js").Rgb}[]}
 */
function usedSwatches(panels) {
  /** @type {Map<string, {name: string, rgb: import("../scene/colours.js").Rgb}>} */
  const used = new Map();
  for (const { palette, swatches } of panels)
    for (const swatch of [...new Set(swatches)].sort((a, b) => a - b))
      if (palette[swatch]?.name) used.set(palette[swatch].name, palette[swatch]);
  return used.size <= MOST_LISTED
    ? [...used.values()]
    : [...used.values()].filter(({ name }) => name.startsWith(`${UNLABELLED} (`));
}
