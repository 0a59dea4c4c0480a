/** The stage as an SVG: what its panels show and say, handed to the writer of the file. */
import { download, fileName } from "../common/files.js";
import {
  colouredClasses,
  EXTRAS,
  UNLABELLED,
  pointSizes,
  pointFlags,
  pointColours,
  ringPieces,
} from "../scene/attributes.js";
import { formatCount } from "../common/numbers.js";
import { fill, words } from "../words.js";
import { svgOf } from "./svg.js";

/** @typedef {import("../assembly.js").Stage} Stage */
/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("./svg.js").SketchPanel} SketchPanel */

/** More classes than this are not listed one by one. */
const MOST_LISTED = 30;

/** @param {Stage} stage */
export function saveSvg(stage) {
  if (!stage.choices.now.theme) return;
  stage.writeTexts();
  download(new Blob([svgOf(sketch(stage))], { type: "image/svg+xml" }), fileName(stage, "svg"));
}

/** @param {Stage} stage @returns {import("./svg.js").Sketch} */
export function sketch(stage) {
  const { picture, parts, choices } = stage;
  const theme = /** @type {import("../common/theme.js").Theme} */ (choices.now.theme);
  const panels = picture.rects.flatMap((rect, i) => (picture.shown[i] ? [panelOf(stage, rect, i)] : []));
  const signs = parts.legend.listed.map(({ word, path, filled }) => ({ name: word, path, filled }));
  return { width: picture.size.w, height: picture.size.h, theme, panels, legend: usedColours(panels), signs };
}

/**
 * @param {Stage} stage @param {import("../scene/panels.js").PanelRect} rect @param {number} i @returns {SketchPanel}
 */
function panelOf({ picture, overlay, choices }, rect, i) {
  const run = picture.shown[i];
  const { info } = run;
  const said = overlay.panels[i];
  const { on } = picture;
  const { colourMode, chosen, selected } = choices.now;
  const meters = said.meter.meters
    .filter(({ meter }) => !meter.hidden)
    .map(({ meter, value }) => `${meter.firstChild?.textContent} ${value.textContent}`);
  return {
    rect,
    run,
    on,
    pose: picture.poseAt(i),
    title: run.title,
    colour: info?.header.colour ?? "",
    state: said.state.textContent ?? "",
    projection: said.meter.root.hidden ? "" : [said.meter.badge.textContent, ...meters].join(", "),
    numbers: [...said.numbers.children].map((number) => [...number.children].map((part) => part.textContent).join(" ")),
    asked: run.frame && info ? picture.askedOf(run, rect) : null,
    palette: paletteOf(run),
    colours: info ? pointColours(run, colourMode) : new Uint16Array(),
    flags: info ? pointFlags(run, on, chosen, selected) : new Uint8Array(),
    sizes: info ? pointSizes(run, on.sizes) : new Uint8Array(),
    pieces: info ? ringPieces(run) : null,
  };
}

/** Colours that points can wear, as `pointColours` counts them, with their names. @param {Run} run */
function paletteOf(run) {
  const names = run.info?.header.class_names ?? [];
  const free = fill(words.unlabelledCount, { count: formatCount(run.unlabelled) });
  return [
    ...run.colours
      .slice(0, colouredClasses(run.numClasses))
      .map((rgb, c) => ({ name: names[c] ?? String(c), rgb, always: false })),
    ...run.extras.map((rgb, e) => {
      const always = e === UNLABELLED;
      return { name: always ? free : words[EXTRAS[e]], rgb, always };
    }),
    ...run.values.map((rgb) => ({ name: "", rgb, always: false })),
  ];
}

/**
 * Colours that points wear, each once: classes first. @param {SketchPanel[]} panels
 * @returns {SketchPanel["palette"]}
 */
function usedColours(panels) {
  /** @type {Map<string, SketchPanel["palette"][number]>} */
  const used = new Map();
  for (const { palette, colours } of panels)
    for (const place of [...new Set(colours)].sort((a, b) => a - b))
      if (palette[place]?.name) used.set(palette[place].name, palette[place]);
  const colours = [...used.values()];
  return colours.length <= MOST_LISTED ? colours : colours.filter(({ always }) => always);
}
