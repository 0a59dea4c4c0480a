/** The sphere as a flat map, where there is no WebGL2: Lambert's azimuthal equal-area projection around the line of sight. */
import { viewMatrix } from "./camera.js";
import { toHex, mixRgb } from "./colours.js";
import { FLAG } from "./shaders.js";
import { normalize } from "./vectors.js";

/** @typedef {import("./runs.js").Run} Run */
/** @typedef {import("./types.js").Pose} Pose */

const FILL = 0.92, HOME_DISTANCE = 4;

/** @param {Pose} pose @param {import("./types.js").Rect} view @returns {import("./picking.js").Placer} the whole sphere in one disc, its back at the rim */
export function flatPlacer(pose, view) {
  const m = viewMatrix(pose), radius = (Math.min(view.w, view.h) / 2) * FILL * (HOME_DISTANCE / pose.distance);
  return (p) => {
    const [a, b, c] = normalize(p);
    const x = m[0] * a + m[4] * b + m[8] * c, y = m[1] * a + m[5] * b + m[9] * c, z = m[2] * a + m[6] * b + m[10] * c;
    const scale = (radius * Math.sqrt(Math.max(0, 1 - z) / 2)) / (Math.hypot(x, y) || 1);
    return [view.w / 2 + x * scale, view.h / 2 - y * scale, pose.distance - z];
  };
}

/** Draws what `Renderer` draws, with the same verbs, on a plain 2-D canvas. */
export class FlatRenderer {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.kind = "flat";
    this.software = true;
    this.device = "2-D canvas";
    this.pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.ratio = 1;
    /** @type {number|null} */
    this.lastMs = null;
    /** @type {Map<string, {colours: string[], flags: Uint8Array, swatches: Uint16Array}>} */
    this.runs = new Map();
    /** @type {import("./theme.js").Theme|null} */
    this.theme = null;
  }

  /** A 2-D canvas is not lost. */
  rebuild() {}

  /** A 2-D canvas is drawn at once. @returns {{busy: boolean, ms: number|null}} */
  progress() {
    const ms = this.lastMs;
    this.lastMs = null;
    return { busy: false, ms };
  }

  /** @param {import("./theme.js").Theme} theme */
  setTheme(theme) {
    this.theme = theme;
  }

  /** @param {number} width @param {number} height @param {number} ratio */
  resize(width, height, ratio) {
    this.ratio = ratio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  /** @param {string} id */
  partOf(id) {
    const part = this.runs.get(id) ?? { colours: [], flags: new Uint8Array(), swatches: new Uint16Array() };
    this.runs.set(id, part);
    return part;
  }

  moveRun() {}

  /** @param {Run} run @param {Uint16Array} swatches @param {Uint8Array} flags */
  dressRun(run, swatches, flags) {
    Object.assign(this.partOf(run.id), { swatches, flags });
  }

  /** @param {Run} run @param {{rgb: import("./colours.js").Rgb}[]} swatches */
  setPalette(run, swatches) {
    this.partOf(run.id).colours = swatches.map(({ rgb }) => toHex(rgb));
  }

  /** @param {string} id */
  dropRun(id) {
    this.runs.delete(id);
  }

  /** @param {import("./renderer.js").PanelScene[]} panels @param {Pose} pose @param {{thin: number}} options @returns {number} */
  draw(panels, pose, { thin }) {
    const { pen, canvas, theme, ratio } = this;
    if (!theme) return 0;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = toHex(theme.page);
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const begun = performance.now();
    let drawn = 0;
    for (const { view, run, k, look } of panels) {
      const place = flatPlacer(pose, view);
      pen.save();
      pen.beginPath();
      pen.rect(view.x, view.y, view.w, view.h);
      pen.clip();
      pen.translate(view.x, view.y);
      pen.fillStyle = toHex(mixRgb(theme.page, theme.ink, 0.04));
      pen.strokeStyle = toHex(mixRgb(theme.page, theme.ink, 0.25));
      pen.beginPath();
      pen.arc(view.w / 2, view.h / 2, (Math.min(view.w, view.h) / 2) * FILL * (HOME_DISTANCE / pose.distance), 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
      if (run?.frame && look) drawn += this.drawRun(run, k, look, place, thin);
      pen.restore();
    }
    this.lastMs = performance.now() - begun;
    return drawn;
  }

  /** @param {Run} run @param {number} k @param {import("./scene.js").Look} look @param {import("./picking.js").Placer} place @param {number} thin */
  drawRun(run, k, look, place, thin) {
    const { pen } = this, { colours, flags, swatches } = this.partOf(run.id);
    const n = look.layers.points ? swatches.length : 0, size = 1.8 * Math.min(1.6, look.scale + 0.4);
    let drawn = 0;
    for (let i = 0; i < n; i += thin) {
      if (flags[i] & FLAG.HIDDEN) continue;
      const [x, y, w] = place(run.pointAt(i, k));
      pen.globalAlpha = (flags[i] & FLAG.DIMMED ? 0.12 : 1) * (w > 4 ? 0.5 : 0.95);
      pen.fillStyle = colours[swatches[i]] ?? "#888888";
      pen.fillRect(x - size, y - size, 2 * size, 2 * size);
      drawn++;
    }
    pen.globalAlpha = 1;
    pen.lineWidth = 2;
    run.marksAt("centres", k).forEach((m, c) => {
      if (!m || !look.layers.centres) return;
      const [x, y] = place(m);
      pen.strokeStyle = colours[c];
      pen.beginPath();
      pen.arc(x, y, 6 * look.scale, 0, 2 * Math.PI);
      pen.stroke();
    });
    return drawn;
  }
}
