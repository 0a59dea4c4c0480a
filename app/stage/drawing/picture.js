/** The picture: panels, cameras, layers and colours brought together for whichever renderer there is. */
import { forceLook } from "../scene/forces.js";
import { outlineRadius, viewProjection } from "../scene/camera.js";
import { make } from "../common/dom.js";
import { classColours, extraColours, valueRamp } from "../common/colours.js";
import { FlatRenderer, flatPlacer } from "./flat.js";
import { switchesOf } from "../layers/list.js";
import { Moment } from "../incoming/moments.js";
import { neighboursOf } from "../scene/neighbours.js";
import { attributeOf, categories, coloured } from "../scene/known.js";
import {
  changesWithFrame,
  colouredClasses,
  pointColours,
  pointFlags,
  pointSizes,
  ringPieces,
  STEPS,
} from "../scene/attributes.js";
import { layoutPanels, panelAt, STRIP } from "../scene/panels.js";
import { Quality } from "./quality.js";
import { Renderer } from "./renderer.js";
import { project } from "../common/vectors.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../scene/panels.js").PanelRect} PanelRect */
/**
 * @typedef {object} Assigned   what a run's points wear
 * @property {number} version   of the choices that it followed
 * @property {import("../common/types.js").RunInfo} info
 * @property {import("../common/types.js").Frame|null} frame
 * @property {Uint16Array|undefined} colours  an array of its own, to be written again
 */

export class Picture {
  /**
   * @param {import("../scene/choices.js").Choices} choices @param {import("../scene/cameras.js").Cameras} cameras
   */
  constructor(choices, cameras) {
    /** @type {Renderer|FlatRenderer} */
    this.renderer = openRenderer();
    this.canvas = this.renderer.canvas;
    this.choices = choices;
    this.cameras = cameras;
    this.quality = new Quality(this.renderer.software);
    /** @type {Run[]} those on screen */
    this.shown = [];
    /** @type {PanelRect[]} */
    this.rects = [];
    /** @type {Map<string, Assigned>} by run */
    this.assigned = new Map();
    this.switches = { version: -1, on: /** @type {import("../layers/list.js").Switches} */ ({}) };
    this.size = { w: 0, h: 0 };
    /** Share of the points that the last picture holds. */
    this.share = 1;
    /** Points there are. */
    this.points = 0;
    /** Until then, ms, the first points are waited for: empty spheres would only keep the processor from them. */
    this.patience = 0;
  }

  /** Whether each built-in layer is on. */
  get on() {
    const version = this.choices.version("layers");
    if (this.switches.version !== version) this.switches = { version, on: switchesOf(this.choices.now.layers) };
    return this.switches.on;
  }

  /**
   * @param {Run[]} runs @param {number} width @param {number} room
   * @returns {{height: number, cleared: boolean}} in CSS pixels; whether what was drawn is gone
   */
  layout(runs, width, room) {
    const { solo } = this.choices.now;
    // A run shown alone keeps its own moments beside it: before and after, without the others.
    this.shown = solo ? runs.filter((run) => run.id === solo || (run instanceof Moment && run.of === solo)) : runs;
    if (!this.shown.length) this.shown = runs;
    this.cameras.panels = this.shown.map((run) => run.id);
    const { panels, height } = layoutPanels(this.shown.length, width, room, this.on.inside ? STRIP : 0);
    this.rects = panels;
    this.size = { w: width, h: height };
    return { height, cleared: this.fit() };
  }

  /** Gives the canvas as many device pixels as the quality allows. @returns {boolean} whether that cleared it */
  fit() {
    return this.renderer.resize(
      this.size.w,
      this.size.h,
      Math.min(window.devicePixelRatio || 1, this.quality.now.ratio),
    );
  }

  /** Sends everything again: after a lost context. */
  rebuild() {
    this.renderer.rebuild();
    this.assigned.clear();
  }

  /** Takes over new frames. @param {Run} run @param {number} now @param {boolean} tween @param {boolean} steady */
  accept(run, now, tween, steady) {
    run.accept(now, { tween: tween && this.quality.now.tween, steady });
  }

  /** @param {string} id */
  drop(id) {
    this.cameras.forget(id);
    this.renderer.dropRun(id);
    this.assigned.delete(id);
    if (this.choices.now.solo === id) this.choices.set({ solo: null });
  }

  /** Colours, shapes and visibility of a run's points, when something about them changed. @param {Run} run */
  assign(run) {
    const { info, frame } = run;
    const { theme, colourMode } = this.choices.now;
    if (!info || !theme) return;
    const version = this.choices.version("colour", "layers", "focus");
    const worn = this.assigned.get(run.id);
    const same = worn?.version === version && worn.info === info;
    // Most frames change nothing that points wear; colours by what a method thinks of them are one pass over an array.
    const comesOrGoes = worn?.frame !== frame && Boolean(worn?.frame?.present || frame?.present);
    if (same && (worn.frame === frame || !(comesOrGoes || changesWithFrame(colourMode)))) return;
    if (!same || comesOrGoes) this.assignAll(run, info, theme);
    const colours = pointColours(run, colourMode, worn?.colours);
    this.renderer.colourRun(run, colours);
    this.assigned.set(run.id, { version, info, frame, colours: colours === info.labels ? undefined : colours });
  }

  /**
   * @param {Run} run @param {import("../common/types.js").RunInfo} info
   * @param {import("../common/theme.js").Theme} theme
   */
  assignAll(run, { header }, { page }) {
    const { colourMode, ramp, categorical, chosen, selected } = this.choices.now;
    const mode = colourMode === "categorical" || colourMode === "groups" ? colourMode : "ramp";
    run.colours = classColours(header.num_classes, mode, { ramp, categorical, page, groups: header.groups });
    run.extras = extraColours(page);
    run.values = valueColours(run, colourMode, categorical, page);
    const classes = run.colours.slice(0, colouredClasses(header.num_classes));
    this.renderer.setPalette(run, [...classes, ...run.extras, ...run.values]);
    const flags = pointFlags(run, this.on, chosen, selected);
    this.renderer.setAttributes(run, { flags, sizes: pointSizes(run, this.on.sizes), pieces: ringPieces(run) });
  }

  /** @param {Run} run @param {PanelRect} rect @returns {import("../layers/scene.js").Asked} */
  askedOf(run, { sphere }) {
    const { layers, theme, chosen, marked, pinned, forces, trail } = this.choices.now;
    const mark = marked === null ? null : run.indexOf(marked);
    const { ink, page } = /** @type {import("../common/theme.js").Theme} */ (theme);
    return {
      layers,
      chosen,
      mark,
      near: pinned && mark !== null ? neighboursOf(run, mark) : null,
      scale: Math.min(1.7, Math.max(0.62, Math.min(sphere.w, sphere.h) / 300)),
      ink,
      page,
      forces: forceLook(forces, run, this.shown),
      trail,
      colours: run.colours,
      shows: (key) => Boolean(this.on[key]),
    };
  }

  /** @param {number} now ms @param {boolean} [rests] nothing moves: all points are drawn @returns {number} points drawn */
  draw(now, rests = true) {
    const { theme } = this.choices.now;
    if (!theme) return 0;
    this.shown.forEach((run) => this.assign(run));
    const version = this.choices.version("colour", "layers", "focus", "ring", "forces");
    const scenes = this.rects.map((rect, i) => {
      const run = this.shown[i] ?? null;
      return {
        sphere: rect.sphere,
        run,
        k: run ? run.progress(now) : 1,
        pose: this.poseAt(i),
        asked: run?.frame && run.info ? this.askedOf(run, rect) : null,
        version,
      };
    });
    this.points = this.shown.reduce((sum, { frame }) => sum + (frame ? frame.header.n : 0), 0);
    const here = this.shown.reduce((sum, { frame }) => sum + (frame ? (frame.rows?.length ?? frame.header.n) : 0), 0);
    this.share = rests ? 1 : this.quality.share(here);
    const waits = this.renderer.software && now < this.patience && !this.shown.some((run) => run.frame);
    return this.renderer.draw(waits ? [] : scenes, { share: this.share, on: this.on, theme });
  }

  /**
   * Which points of a run the last picture holds: nobody can mean one that is not there. @param {Run} run
   * @returns {Uint32Array|null} indices; null: all
   */
  pointsOf(run) {
    const { frame } = run;
    if (!frame || (!frame.rows && this.share >= 1)) return null;
    return run.order.subarray(0, Math.max(1, Math.floor((frame.rows?.length ?? frame.header.n) * this.share)));
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

  /** @param {PanelRect} rect @returns {import("../scene/picking.js").Placer} */
  placer(rect) {
    const { sphere } = rect,
      pose = this.poseAt(this.rects.indexOf(rect));
    if (this.renderer.kind === "flat") return flatPlacer(pose, sphere);
    const matrix = viewProjection(pose, sphere.w, sphere.h);
    return (p) => project(matrix, p, sphere);
  }

  /**
   * @param {number} x @param {number} y CSS pixels within the canvas
   * @returns {{index: number, run: Run|null, rect: PanelRect, x: number, y: number}|null}
   */
  at(x, y) {
    const index = panelAt(this.rects, x, y),
      rect = this.rects[index];
    return rect ? { index, rect, run: this.shown[index] ?? null, x: x - rect.sphere.x, y: y - rect.sphere.y } : null;
  }

  /** Pixels that one radian of turning moves a point on the near side. */
  get grip() {
    const sphere = this.rects[0]?.sphere ?? { w: 300, h: 300 };
    return Math.max(40, outlineRadius(this.camera.pose, sphere.w, sphere.h));
  }

  /** @param {number} x @param {number} y */
  onSphere(x, y) {
    const hit = this.at(x, y);
    if (!hit) return false;
    const { sphere } = hit.rect;
    return (
      Math.hypot(hit.x - sphere.w / 2, hit.y - sphere.h / 2) <=
      outlineRadius(this.poseAt(hit.index), sphere.w, sphere.h)
    );
  }
}

const makeCanvas = () => make("canvas", "ltv-canvas", { "data-testid": "ltviz-stage", role: "img", tabindex: "0" });

/** Made before any stage asked for it; of no use to anybody afterwards. @type {Renderer|null} */
let prepared = null;
let isAsked = false;

/** Asks the card to read the shaders of the page's first stage, while that still waits for its runs. */
export function prepareRenderer() {
  if (isAsked) return;
  try {
    prepared ??= new Renderer(makeCanvas());
  } catch {
    // The stage that finds the same says so.
  }
}

/** A canvas that has once been asked for WebGL gives no 2-D pen, so the flat map gets one of its own. */
function openRenderer() {
  isAsked = true;
  try {
    const renderer = prepared ?? new Renderer(makeCanvas());
    prepared = null;
    renderer.begin();
    return renderer;
  } catch (error) {
    console.warn("ltviz draws a flat map.", error);
    return new FlatRenderer(makeCanvas());
  }
}

/**
 * The colours of what is no class: a ramp for numbers, one colour a category for texts.
 * @param {Run} run @param {import("../scene/choices.js").ColourMode} mode @param {string[]} categorical
 * @param {import("../common/colours.js").Rgb} page @returns {import("../common/colours.js").Rgb[]}
 */
function valueColours(run, mode, categorical, page) {
  if (mode === "confidence" || mode === "loss") return valueRamp(mode, page, STEPS);
  const attribute = attributeOf(run.info, coloured(mode));
  if (!attribute) return [];
  if (!attribute.texts) return valueRamp("confidence", page, STEPS);
  const look = { ramp: [], categorical, page, groups: [] };
  return classColours(Math.min(categorical.length, categories(attribute).length), "categorical", look);
}
