/** The picture: panels, camera, layers and colours brought together for whichever renderer there is. */
import { pointFlags, pointSwatches } from "./buffers.js";
import { capAngles } from "./caps.js";
import { Camera, outlineRadius, viewProjection } from "./camera.js";
import { classColours, parseHex, readable, RAMP, CATEGORICAL } from "./colours.js";
import { FlatRenderer, flatPlacer } from "./flat.js";
import { LAYERS } from "./layers.js";
import { NEIGHBOURS, nearestSamples } from "./neighbours.js";
import { layoutPanels, panelAt } from "./panels.js";
import { Quality } from "./quality.js";
import { Renderer } from "./renderer.js";
import { ghostOf } from "./simplex.js";
import { territoryBorders } from "./territory.js";
import { project } from "./vectors.js";

/** @typedef {import("./runs.js").Run} Run */
/** @typedef {import("./types.js").PanelRect} PanelRect */

/** Head classes have many points and get the smaller ones. */
const HEAD_SIZE = 0.92, TAIL_SIZE = 1.45;
const SPIN_PER_MS = 0.00018;

export class Picture {
  /** @param {() => HTMLCanvasElement} makeCanvas @param {Partial<import("./types.js").Pose>} pose */
  constructor(makeCanvas, pose) {
    /** @type {Renderer|FlatRenderer} */
    this.renderer = openRenderer(makeCanvas);
    this.canvas = this.renderer.canvas;
    this.camera = new Camera(pose);
    this.quality = new Quality(this.renderer.software);
    this.layers = { ...LAYERS };
    /** @type {import("./layers.js").ColourMode} */
    this.colourMode = "ramp";
    /** @type {Set<number>|null} */
    this.chosen = null;
    /** @type {Set<number>|null} ids of selected samples */
    this.selected = null;
    /** @type {string|null} the run shown alone */
    this.solo = null;
    /** @type {number|null} id of the sample ringed in every panel */
    this.marked = null;
    /** It is pinned, and its neighbours are shown. */
    this.pinned = false;
    this.spinning = false;
    /** @type {Run[]} those on screen */
    this.shown = [];
    /** @type {PanelRect[]} */
    this.rects = [];
    this.ramp = RAMP;
    this.categorical = CATEGORICAL;
    /** @type {import("./theme.js").Theme|null} */
    this.theme = null;
    /** @type {Map<string, string>} what each run's points wore when they were last dressed */
    this.dressed = new Map();
    this.size = { w: 0, h: 0 };
  }

  /** @param {import("./theme.js").Theme} theme */
  setTheme(theme) {
    this.theme = theme;
    this.renderer.setTheme(theme);
    this.dressed.clear();
  }

  /** @param {Run[]} runs @param {number} width @param {number} room @returns {number} height in CSS pixels */
  layout(runs, width, room) {
    this.shown = this.solo ? runs.filter((run) => run.id === this.solo) : runs;
    if (!this.shown.length) this.shown = runs;
    const { panels, height } = layoutPanels(this.shown.length, width, room);
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
    this.renderer.dropRun(id);
    this.dressed.delete(id);
    if (this.solo === id) this.solo = null;
  }

  /** Colours, shapes and visibility of a run's points, when something about them changed. @param {Run} run */
  dress(run) {
    const { info, frame } = run, theme = this.theme;
    if (!info || !theme) return;
    const { layers, colourMode } = this;
    const key = [colourMode, layers.train, layers.test, info.labels.length, info.header.num_classes, [...(this.chosen ?? ["all"])],
      this.selected?.size, this.selected && [...this.selected].slice(0, 8), colourMode === "correct" ? frame?.header.seq : ""].join();
    if (this.dressed.get(run.id) === key) return;
    this.dressed.set(run.id, key);
    const { num_classes: count, groups } = info.header;
    const mode = colourMode === "categorical" || colourMode === "groups" ? colourMode : "ramp";
    run.colours = classColours(count, mode, { ramp: this.ramp, categorical: this.categorical, page: theme.page, groups });
    run.extras = ["#2a9d8f", "#d1495b", "#6c8ebf", "#e0a030"].map((hex) => readable(parseHex(hex), theme.page, 1.9));
    const palette = run.colours.map((rgb, c) => ({ rgb, size: HEAD_SIZE + ((TAIL_SIZE - HEAD_SIZE) * c) / Math.max(1, count - 1) }));
    this.renderer.setPalette(run, [...palette, ...run.extras.map((rgb) => ({ rgb, size: 1 }))]);
    const by = colourMode === "split" || colourMode === "correct" ? colourMode : "class";
    this.renderer.dressRun(run, pointSwatches(run, by), pointFlags(run, layers, this.chosen, this.selected));
  }

  /** @param {Run} run @param {PanelRect} rect @returns {import("./scene.js").Look} */
  lookOf(run, rect) {
    const { layers, theme, chosen } = this, frame = run.frame, info = run.info;
    if (frame && info && layers.caps && run.caps?.of !== frame)
      run.caps = { of: frame, angles: capAngles(frame.xyz, info.labels, frame.header.centres) };
    if (frame && layers.ghost && run.ghost?.of !== frame) run.ghost = { of: frame, points: ghostOf(frame.header.centres) };
    if (frame && layers.territory && run.borders?.of !== frame)
      run.borders = { of: frame, pieces: territoryBorders(frame.header.centres) };
    const mark = this.marked === null || !info ? null : info.ids ? run.indexOf(this.marked) : this.marked;
    if (frame && this.pinned && mark !== null && mark < frame.header.n && (run.near?.of !== frame || run.near.index !== mark))
      run.near = { of: frame, index: mark, found: nearestSamples(frame.xyz, mark, NEIGHBOURS) };
    return {
      layers, chosen, mark, colours: run.colours,
      near: this.pinned ? (run.near?.found ?? null) : null,
      borders: layers.territory ? (run.borders?.pieces ?? null) : null,
      ink: /** @type {import("./theme.js").Theme} */ (theme).ink,
      scale: Math.min(1.7, Math.max(0.62, Math.min(rect.view.w, rect.view.h) / 300)),
      caps: layers.caps ? (run.caps?.angles ?? null) : null,
      ghost: layers.ghost ? (run.ghost?.points ?? null) : null,
    };
  }

  /** @param {number} now ms @returns {number} points drawn */
  draw(now) {
    if (!this.theme) return 0;
    this.shown.forEach((run) => this.dress(run));
    const scenes = this.rects.map(({ view }, i) => {
      const run = this.shown[i] ?? null, ready = run?.frame && run.info;
      return { view, run, k: run ? run.progress(now) : 1, look: ready ? this.lookOf(run, this.rects[i]) : null };
    });
    const points = this.shown.reduce((sum, run) => sum + (run.frame?.header.n ?? 0), 0);
    return this.renderer.draw(scenes, this.camera.pose, { thin: this.quality.thinning(points), grid: this.layers.grid });
  }

  /** Whether points are still under way. @param {number} now */
  moving(now) {
    return this.shown.some((run) => run.frame && run.progress(now) < 1);
  }

  /** Turns by itself while the switch is on. @param {number} ms since the last picture */
  spin(ms) {
    if (this.spinning) this.camera.nudge(Math.min(100, ms) * SPIN_PER_MS, 0);
  }

  /** @param {PanelRect} rect @returns {import("./picking.js").Placer} */
  placer({ view }) {
    const { pose } = this.camera;
    if (this.renderer.kind === "flat") return flatPlacer(pose, view);
    const matrix = viewProjection(pose, view.w, view.h);
    return (p) => project(matrix, p, view);
  }

  /** @param {number} x @param {number} y CSS pixels within the canvas @returns {{index: number, run: Run|null, rect: PanelRect, x: number, y: number}|null} */
  at(x, y) {
    const index = panelAt(this.rects, x, y), rect = this.rects[index];
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
    return Math.hypot(hit.x - view.w / 2, hit.y - view.h / 2) <= outlineRadius(this.camera.pose, view.w, view.h);
  }
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
