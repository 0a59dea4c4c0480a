/** Where the panels stand. Their sizes depend on how many there are and on the room, never on the data. Pure. */
import { MOST_PANELS } from "../incoming/moments.js";

/** @typedef {import("../common/types.js").Rect} Rect */
/** @typedef {{whole: Rect, sphere: Rect}} PanelRect `whole` holds title, sphere and numbers; `sphere` is its share */

/** Room for the title above a sphere and the numbers beneath it. */
export const HEAD = 30;
export const FOOT = 26;
/** Room that a strip of readings takes under a panel. */
export const STRIP = 46;
const GAP = 12,
  SMALLEST = 132,
  NARROW = 560;
/** Share of the window that the spheres may take, and its bounds in CSS pixels. */
const STAGE_SHARE = 0.76,
  LEAST_ROOM = 380,
  MOST_ROOM = 760;

/**
 * Height for the spheres. @param {number} window CSS pixels
 * @param {number} around what stands around them in full screen; 0: among other things on a page
 */
export const roomFor = (window, around) =>
  around ? Math.max(LEAST_ROOM, window - around) : Math.min(MOST_ROOM, Math.max(LEAST_ROOM, window * STAGE_SHARE));

/**
 * @param {number} count 0 to 12 panels
 * @param {number} width of the stage
 * @param {number} room height that the stage may take where the page is wide; a narrow page scrolls instead
 * @param {number} [strip] room under the numbers of each panel
 * @returns {{columns: number, rows: number, height: number, panels: PanelRect[]}}
 */
export function layoutPanels(count, width, room, strip = 0) {
  const shown = Math.min(MOST_PANELS, Math.max(1, count));
  const narrow = width < NARROW,
    beside = HEAD + FOOT + strip;
  /** @param {number} columns */
  const sideOf = (columns) => {
    const rows = Math.ceil(shown / columns);
    const across = (width - GAP * (columns - 1)) / columns;
    const down = narrow ? Infinity : (room - GAP * (rows - 1)) / rows - beside;
    return Math.floor(Math.max(SMALLEST, Math.min(across, down)));
  };
  let columns = 1;
  if (narrow) columns = shown > 2 && width >= 2 * SMALLEST + GAP ? 2 : 1;
  else
    for (let c = 2; c <= shown; c++) {
      const gain = sideOf(c) - sideOf(columns);
      // Of two equally large lay-outs the one with fewer empty places wins.
      if (gain > 0 || (gain === 0 && c * Math.ceil(shown / c) < columns * Math.ceil(shown / columns))) columns = c;
    }
  const rows = Math.ceil(shown / columns),
    side = sideOf(columns);
  const w = Math.floor((width - GAP * (columns - 1)) / columns),
    h = side + beside;
  const panels = Array.from({ length: shown }, (_, i) => {
    const row = Math.floor(i / columns),
      inRow = row === rows - 1 ? shown - row * columns : columns;
    const x = Math.floor((i % columns) * (w + GAP) + ((columns - inRow) * (w + GAP)) / 2),
      y = row * (h + GAP);
    return { whole: { x, y, w, h }, sphere: { x, y: y + HEAD, w, h: side } };
  });
  return { columns, rows, height: rows * h + (rows - 1) * GAP, panels };
}

/**
 * The panel whose sphere is under a point. @param {PanelRect[]} panels @param {number} x @param {number} y
 * @returns -1: none
 */
export function panelAt(panels, x, y) {
  return panels.findIndex(({ sphere: v }) => x >= v.x && x < v.x + v.w && y >= v.y && y < v.y + v.h);
}
