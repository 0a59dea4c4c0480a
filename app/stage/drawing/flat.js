/**
 * The sphere as a flat map, where there is no WebGL2: Lambert's azimuthal equal-area projection around the line of
 * sight.
 */
import { viewMatrix } from "../scene/camera.js";
import { toHex, mixRgb } from "../common/colours.js";
import { addScene } from "../layers/scene.js";
import { FLAG } from "../scene/attributes.js";
import { SHAPE } from "../scene/strokes.js";
import { normalize } from "../common/vectors.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../common/types.js").Pose} Pose */

const FILL = 0.92,
  HOME_DISTANCE = 4;

/** Radius of the disc in pixels. @param {Pose} pose @param {import("../common/types.js").Rect} sphere */
export const flatRadius = (pose, sphere) => (Math.min(sphere.w, sphere.h) / 2) * FILL * (HOME_DISTANCE / pose.distance);

/**
 * @param {Pose} pose @param {import("../common/types.js").Rect} sphere
 * @returns {import("../scene/picking.js").Placer} the whole sphere in one disc, its back at the rim
 */
export function flatPlacer(pose, sphere) {
  const m = viewMatrix(pose),
    radius = flatRadius(pose, sphere);
  return (p) => {
    const [a, b, c] = normalize(p);
    const x = m[0] * a + m[4] * b + m[8] * c,
      y = m[1] * a + m[5] * b + m[9] * c,
      z = m[2] * a + m[6] * b + m[10] * c;
    const scale = (radius * Math.sqrt(Math.max(0, 1 - z) / 2)) / (Math.hypot(x, y) || 1);
    return [sphere.w / 2 + x * scale, sphere.h / 2 - y * scale, pose.distance - z];
  };
}

/** @typedef {{palette: string[], colours: Uint16Array} & import("../scene/attributes.js").PointAttributes} FlatPart */

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
    /** @type {Map<string, FlatPart>} */
    this.runs = new Map();
    /**
     * @type {Record<string, import("../layers/scene.js").Counts>} by run: how much of each layer the last picture holds
     */
    this.counts = {};
  }

  /** A 2-D canvas is not lost. */
  rebuild() {}

  /** A 2-D canvas is drawn at once. @returns {{busy: boolean, ms: number|null}} */
  progress() {
    const ms = this.lastMs;
    this.lastMs = null;
    return { busy: false, ms };
  }

  /** @param {number} width @param {number} height @param {number} ratio @returns {boolean} the canvas is cleared */
  resize(width, height, ratio) {
    this.ratio = ratio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    return true;
  }

  /** @param {string} id @returns {FlatPart} */
  partOf(id) {
    const part = this.runs.get(id) ?? {
      palette: [],
      colours: new Uint16Array(),
      flags: new Uint8Array(),
      sizes: new Uint8Array(),
      pieces: null,
    };
    this.runs.set(id, part);
    return part;
  }

  /** @param {Run} run @param {Uint16Array} colours */
  colourRun(run, colours) {
    this.partOf(run.id).colours = colours;
  }

  /** @param {Run} run @param {import("../scene/attributes.js").PointAttributes} attributes */
  setAttributes(run, attributes) {
    Object.assign(this.partOf(run.id), attributes);
  }

  /** @param {Run} run @param {import("../common/colours.js").Rgb[]} palette */
  setPalette(run, palette) {
    this.partOf(run.id).palette = palette.map(toHex);
  }

  /** @param {string} id */
  dropRun(id) {
    this.runs.delete(id);
  }

  /** @param {import("./renderer.js").PanelScene[]} panels @param {import("./renderer.js").DrawOptions} options */
  draw(panels, options) {
    const { pen, canvas, ratio } = this;
    const { theme } = options;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = toHex(theme.page);
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const begun = performance.now();
    this.counts = {};
    let drawn = 0;
    for (const { sphere, run, k, pose, asked } of panels) {
      const place = flatPlacer(pose, sphere);
      pen.save();
      pen.beginPath();
      pen.rect(sphere.x, sphere.y, sphere.w, sphere.h);
      pen.clip();
      pen.translate(sphere.x, sphere.y);
      pen.fillStyle = toHex(mixRgb(theme.page, theme.ink, 0.04));
      pen.strokeStyle = toHex(mixRgb(theme.page, theme.ink, 0.25));
      pen.beginPath();
      pen.arc(sphere.w / 2, sphere.h / 2, flatRadius(pose, sphere), 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
      if (run?.frame && asked) drawn += this.drawRun(run, k, asked, place, options);
      pen.restore();
    }
    this.lastMs = performance.now() - begun;
    return drawn;
  }

  /**
   * @param {Run} run @param {number} k @param {import("../layers/scene.js").Asked} asked
   * @param {import("../scene/picking.js").Placer} place @param {import("./renderer.js").DrawOptions} options
   */
  drawRun(run, k, asked, place, { share, on, theme }) {
    const { pen } = this,
      { palette, flags, colours, sizes } = this.partOf(run.id);
    const sheets = {
      patches: new Sheet(),
      ground: new Sheet(),
      mists: new Sheet(),
      lines: new Sheet(),
      signs: new Sheet(),
    };
    this.counts[run.id] = addScene(sheets, run, k, asked);
    this.drawPatches(sheets.patches.items, place);
    this.drawLines(sheets.ground.items, place, asked.scale, theme);
    this.drawSigns(sheets.mists.items, place);
    const n = on.points ? Math.round(colours.length * share) : 0,
      order = share < 1 ? run.order : null,
      size = 1.8 * Math.min(1.6, asked.scale + 0.4);
    let drawn = 0;
    for (let at = 0; at < n; at++) {
      const i = order ? order[at] : at;
      if (flags[i] & FLAG.HIDDEN) continue;
      const [x, y, w] = place(run.pointAt(i, k)),
        half = (size * sizes[i]) / 128;
      pen.globalAlpha = (flags[i] & FLAG.DIMMED ? 0.12 : 1) * (w > HOME_DISTANCE ? 0.5 : 0.95);
      pen.fillStyle = palette[colours[i]] ?? "#888888";
      pen.fillRect(x - half, y - half, 2 * half, 2 * half);
      drawn++;
    }
    this.drawLines(sheets.lines.items, place, asked.scale, theme);
    this.drawSigns(sheets.signs.items, place);
    pen.globalAlpha = 1;
    return drawn;
  }

  /** @param {number[][]} patches corners of triangles @param {import("../scene/picking.js").Placer} place */
  drawPatches(patches, place) {
    const { pen } = this;
    for (let i = 0; i + 2 < patches.length; i += 3) {
      const corners = patches.slice(i, i + 3).map(place);
      if (torn(corners[0], corners[1]) || torn(corners[1], corners[2])) continue;
      pen.globalAlpha = patches[i][6];
      pen.fillStyle = toHex(patches[i].slice(3, 6));
      pen.beginPath();
      corners.forEach(([x, y]) => pen.lineTo(x, y));
      pen.fill();
    }
  }

  /**
   * @param {number[][]} lines @param {import("../scene/picking.js").Placer} place @param {number} scale
   * @param {import("../common/theme.js").Theme} theme
   */
  drawLines(lines, place, scale, theme) {
    const { pen } = this;
    for (const [ax, ay, az, bx, by, bz, r, g, b, alpha, width, , dashes] of lines) {
      const p = place([ax, ay, az]),
        q = place([bx, by, bz]);
      if (torn(p, q)) continue;
      const draw = (/** @type {string} */ colour, /** @type {number} */ wide, /** @type {number[]} */ dash) => {
        pen.strokeStyle = colour;
        pen.lineWidth = wide;
        pen.setLineDash(dash);
        pen.beginPath();
        pen.moveTo(p[0], p[1]);
        pen.lineTo(q[0], q[1]);
        pen.stroke();
      };
      pen.globalAlpha = alpha;
      if (width < 0) draw(toHex(theme.page), 2 - width, []);
      draw(toHex([r, g, b]), Math.abs(width), dashes >= 0 ? [4 * scale, 3 * scale] : []);
    }
    pen.setLineDash([]);
  }

  /** @param {number[][]} signs @param {import("../scene/picking.js").Placer} place */
  drawSigns(signs, place) {
    const { pen } = this;
    for (const [px, py, pz, r, g, b, alpha, size, shape] of signs) {
      const [x, y] = place([px, py, pz]);
      pen.globalAlpha = shape === SHAPE.MIST ? alpha * 0.6 : alpha;
      pen.fillStyle = pen.strokeStyle = toHex([r, g, b]);
      pen.lineWidth = 2;
      pen.beginPath();
      outlineSign(pen, x, y, size, shape);
      if (shape === SHAPE.RING || shape === SHAPE.HALO || shape === SHAPE.PLUS) pen.stroke();
      else pen.fill();
    }
  }
}

/** Takes what a batch takes, as a list. */
class Sheet {
  constructor() {
    /** @type {number[][]} */
    this.items = [];
  }

  /** @param {...number} values */
  push(...values) {
    this.items.push(values);
  }
}

/**
 * The back of the sphere is the whole rim: a short line across it would cross the map. @param {number[]} p
 * @param {number[]} q pixels and depth
 */
const torn = (p, q) => p[2] > HOME_DISTANCE && q[2] > HOME_DISTANCE && Math.hypot(p[0] - q[0], p[1] - q[1]) > 60;

/**
 * @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y @param {number} r
 * @param {number} shape one of SHAPE
 */
function outlineSign(pen, x, y, r, shape) {
  const points = {
    [SHAPE.DIAMOND]: [
      [0, -1.2],
      [1.2, 0],
      [0, 1.2],
      [-1.2, 0],
    ],
    [SHAPE.SQUARE]: [
      [-0.82, -0.82],
      [0.82, -0.82],
      [0.82, 0.82],
      [-0.82, 0.82],
    ],
    [SHAPE.TRIANGLE]: [
      [0, -1.2],
      [1.05, 0.62],
      [-1.05, 0.62],
    ],
  }[shape];
  if (points) {
    points.forEach(([dx, dy]) => pen.lineTo(x + dx * r, y + dy * r));
    pen.closePath();
  } else if (shape === SHAPE.PLUS) {
    pen.moveTo(x - r, y);
    pen.lineTo(x + r, y);
    pen.moveTo(x, y - r);
    pen.lineTo(x, y + r);
  } else pen.arc(x, y, r, 0, 2 * Math.PI);
}
