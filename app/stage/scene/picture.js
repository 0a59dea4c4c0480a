/** The picture: panels, camera, layers and colours brought together for whichever renderer there is. */
import { forceLook } from "./forces.js";
import { capAngles, capFills } from "./caps.js";
import { outlineRadius, viewProjection } from "./camera.js";
import { classColours, extraColours, valueRamp, RAMP, CATEGORICAL } from "./colours.js";
import { FlatRenderer, flatPlacer } from "../drawing/flat.js";
import { LAYERS } from "../choices/layers.js";
import { Moment } from "../incoming/moments.js";
import { neighboursOf } from "../reading/neighbours.js";
import { changesWithFrame, pointBulks, pointFlags, pointSwatches, ringPieces, STEPS } from "./outfit.js";
import { layoutPanels, panelAt } from "./panels.js";
import { Quality } from "../drawing/quality.js";
import { Renderer } from "../drawing/renderer.js";
import { ghostOf } from "./simplex.js";
import { STRIP } from "../reading/strips.js";
import { territoryBorders } from "./territory.js";
import { project } from "../common/vectors.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../common/types.js").PanelRect} PanelRect */

const TRAIL = 24;

export class Picture {
  /** @param {() => HTMLCanvasElement} makeCanvas @param {import("./cameras.js").Cameras} cameras */
  constructor(makeCanvas, cameras) {
    /** @type {Renderer|FlatRenderer} */
    this.renderer = openRenderer(makeCanvas);
    this.canvas = this.renderer.canvas;
    this.cameras = cameras;
    this.quality = new Quality(this.renderer.software);
    this.layers = { ...LAYERS };
    /** @type {import("../choices/layers.js").ColourMode} */
    this.colourMode = "ramp";
    /** @type {Set<number>|null} */
    this.chosen = null;
    /** @type {import("./forces.js").ForceChoice} */
    this.forces = { parts: new Set(), under: null, alike: false };
    /** Frames that trails reach back. */
    this.trail = TRAIL;
    /** @type {Set<number>|null} ids of selected samples */
    this.selected = null;
    /** @type {string|null} the run shown alone */
    this.solo = null;
    /** @type {number|null} id of the sample ringed in every panel */
    this.marked = null;
    /** It is pinned, and its neighbours are shown. */
    this.pinned = false;
    /** @type {Run[]} those on screen */
    this.shown = [];
    /** @type {PanelRect[]} */
    this.rects = [];
    this.ramp = RAMP;
    this.categorical = CATEGORICAL;
    /** @type {import("../common/theme.js").Theme|null} */
    this.theme = null;
    /** @type {Map<string, {key: string, of: import("../common/types.js").Frame|null, swatches: Uint16Array|undefined}>} what each run's points wore last */
    this.dressed = new Map();
    this.size = { w: 0, h: 0 };
  }

  /** @param {import("../common/theme.js").Theme} theme */
  setTheme(theme) {
    this.theme = theme;
    this.renderer.setTheme(theme);
    this.dressed.clear();
  }

  /** @param {Run[]} runs @param {number} width @param {number} room @returns {number} height in CSS pixels */
  layout(runs, width, room) {
    // A run shown alone keeps its own moments beside it: before and after, without the others.
    this.shown = this.solo
      ? runs.filter((run) => run.id === this.solo || (run instanceof Moment && run.of === this.solo))
      : runs;
    if (!this.shown.length) this.shown = runs;
    this.cameras.panels = this.shown.map((run) => run.id);
    const { panels, height } = layoutPanels(this.shown.length, width, room, this.layers.inside ? STRIP : 0);
    this.rects = panels;
    this.size = { w: width, h: height };
    this.fit();
    return height;
  }

  /** Gives the canvas as many device pixels as the quality allows. */
  fit() {
    this.renderer.resize(this.size.w, this.size.h, Math.min(window.devicePixelRatio || 1, this.quality.now.ratio));
  }

  /** Sends everything again: after a lost context. @param {Iterable<Run>} runs */
  rebuild(runs) {
    this.renderer.rebuild();
    this.dressed.clear();
    for (const run of runs) if (run.frame) this.renderer.moveRun(run, true);
  }

  /** Takes over new frames. @param {Run} run @param {number} now @param {boolean} tween @param {boolean} steady */
  accept(run, now, tween, steady) {
    const first = !run.frame;
    const blended = run.accept(now, { tween: tween && this.quality.now.tween, steady });
    this.renderer.moveRun(run, blended || first);
  }

  /** @param {string} id */
  drop(id) {
    this.cameras.forget(id);
    this.renderer.dropRun(id);
    this.dressed.delete(id);
    if (this.solo === id) this.solo = null;
  }

  /** Colours, shapes and visibility of a run's points, when something about them changed. @param {Run} run */
  dress(run) {
    const { info, frame } = run,
      theme = this.theme;
    if (!info || !theme) return;
    const { layers, colourMode } = this;
    const key = [
      colourMode,
      layers.train,
      layers.test,
      layers.validation,
      layers.sizes,
      info.labels.length,
      info.header.num_classes,
      this.chosen ? [...this.chosen].join("+") : "all",
      this.selected?.size,
      this.selected && [...this.selected].slice(0, 8),
    ].join();
    const worn = this.dressed.get(run.id),
      same = worn?.key === key;
    // Most frames change nothing that points wear; colours by what a method thinks of them are one pass over an array.
    if (same && (worn.of === frame || !changesWithFrame(colourMode))) return;
    if (!same) this.dressAnew(run, info, theme);
    const swatches = pointSwatches(run, colourMode, worn?.swatches);
    this.renderer.colourRun(run, swatches);
    this.dressed.set(run.id, { key, of: frame, swatches: swatches === info.labels ? undefined : swatches });
  }

  /** @param {Run} run @param {import("../common/types.js").RunInfo} info @param {import("../common/theme.js").Theme} theme */
  dressAnew(run, { header }, { page }) {
    const { layers, colourMode, ramp, categorical } = this;
    const mode = colourMode === "categorical" || colourMode === "groups" ? colourMode : "ramp";
    run.colours = classColours(header.num_classes, mode, { ramp, categorical, page, groups: header.groups });
    run.extras = extraColours(page);
    run.values = colourMode === "confidence" || colourMode === "loss" ? valueRamp(colourMode, page, STEPS) : [];
    this.renderer.setPalette(run, [...run.colours, ...run.extras, ...run.values]);
    const flags = pointFlags(run, layers, this.chosen, this.selected);
    this.renderer.dressRun(run, { flags, bulks: pointBulks(run, layers.sizes), pieces: ringPieces(run) });
  }

  /** @param {Run} run @param {PanelRect} rect @returns {import("./scene.js").Look} */
  lookOf(run, rect) {
    const { layers, theme, chosen } = this,
      frame = run.frame,
      info = run.info;
    if (frame && info && layers.caps && run.caps?.of !== frame) run.caps = { of: frame, ...capsOf(frame, info.labels) };
    if (frame && layers.ghost && run.ghost?.of !== frame)
      run.ghost = { of: frame, points: ghostOf(frame.header.centres) };
    if (frame && layers.territory && run.borders?.of !== frame)
      run.borders = { of: frame, pieces: territoryBorders(frame.header.centres) };
    const mark = this.marked === null ? null : run.indexOf(this.marked);
    const near = this.pinned && mark !== null ? neighboursOf(run, mark) : null,
      scale = Math.min(1.7, Math.max(0.62, Math.min(rect.view.w, rect.view.h) / 300));
    const forces = forceLook(this.forces, run, this.shown),
      { trail } = this,
      { ink, page } = /** @type {import("../common/theme.js").Theme} */ (theme);
    return {
      layers,
      chosen,
      mark,
      near,
      scale,
      ink,
      page,
      forces,
      trail,
      colours: run.colours,
      key: [
        Object.values(layers).map(Number).join(""),
        chosen ? [...chosen].join("+") : "all",
        mark,
        near,
        scale,
        ink,
        page,
        [...forces.parts].join("+"),
        forces.under,
        forces.longest,
        trail,
      ].join(),
      borders: layers.territory ? (run.borders?.pieces ?? null) : null,
      caps: layers.caps ? run.caps : null,
      ghost: layers.ghost ? (run.ghost?.points ?? null) : null,
    };
  }

  /** @param {number} now ms @returns {number} points drawn */
  draw(now) {
    if (!this.theme) return 0;
    this.shown.forEach((run) => this.dress(run));
    const scenes = this.rects.map(({ view }, i) => {
      const run = this.shown[i] ?? null,
        ready = run?.frame && run.info;
      return {
        view,
        run,
        k: run ? run.progress(now) : 1,
        pose: this.poseAt(i),
        look: ready ? this.lookOf(run, this.rects[i]) : null,
      };
    });
    const points = this.shown.reduce((sum, run) => sum + (run.frame?.header.n ?? 0), 0);
    return this.renderer.draw(scenes, { thin: this.quality.thinning(points), grid: this.layers.grid });
  }

  /** Whether points are still under way. @param {number} now */
  moving(now) {
    return this.shown.some((run) => run.frame && run.progress(now) < 1);
  }

  /** The camera that keys, menus and exports mean. */
  get camera() {
    return this.cameras.active;
  }

  /** From where a panel is seen. @param {number} index of the panel @returns {import("../common/types.js").Pose} */
  poseAt(index) {
    const run = this.shown[index];
    return (run ? this.cameras.of(run.id) : this.cameras.shared).pose;
  }

  /** @param {PanelRect} rect @returns {import("../choices/picking.js").Placer} */
  placer(rect) {
    const { view } = rect,
      pose = this.poseAt(this.rects.indexOf(rect));
    if (this.renderer.kind === "flat") return flatPlacer(pose, view);
    const matrix = viewProjection(pose, view.w, view.h);
    return (p) => project(matrix, p, view);
  }

  /** @param {number} x @param {number} y CSS pixels within the canvas @returns {{index: number, run: Run|null, rect: PanelRect, x: number, y: number}|null} */
  at(x, y) {
    const index = panelAt(this.rects, x, y),
      rect = this.rects[index];
    return rect ? { index, rect, run: this.shown[index] ?? null, x: x - rect.view.x, y: y - rect.view.y } : null;
  }

  /** Pixels that one radian of turning moves a point on the near side. */
  get grip() {
    const view = this.rects[0]?.view ?? { w: 300, h: 300 };
    return Math.max(40, outlineRadius(this.camera.pose, view.w, view.h));
  }

  /** @param {number} x @param {number} y */
  onSphere(x, y) {
    const hit = this.at(x, y);
    if (!hit) return false;
    const { view } = hit.rect;
    return Math.hypot(hit.x - view.w / 2, hit.y - view.h / 2) <= outlineRadius(this.poseAt(hit.index), view.w, view.h);
  }
}

/** @param {import("../common/types.js").Frame} frame @param {Uint16Array} labels */
function capsOf({ xyz, header: { centres } }, labels) {
  const angles = capAngles(xyz, labels, centres);
  return { angles, fills: capFills(centres, angles) };
}

/** A canvas that has once been asked for WebGL gives no 2-D pen, so the flat map gets one of its own.
 * @param {() => HTMLCanvasElement} makeCanvas @returns {Renderer|FlatRenderer} */
function openRenderer(makeCanvas) {
  try {
    return new Renderer(makeCanvas());
  } catch (error) {
    console.warn("ltviz draws a flat map.", error);
    return new FlatRenderer(makeCanvas());
  }
}
