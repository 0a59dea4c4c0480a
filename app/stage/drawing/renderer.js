/** Draws all panels with one WebGL2 context: the sphere once for all, then each run's points, signs and lines. */
import { PointBuffers } from "./buffers.js";
import { focal, viewMatrix, viewProjection } from "../scene/camera.js";
import { Batch, sendProgram, takeProgram } from "./gl.js";
import { SceneRecords } from "./records.js";
import * as glsl from "./shaders.js";
import { SHEETS } from "../scene/strokes.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../common/types.js").Rect} Rect */
/** @typedef {import("../common/types.js").Pose} Pose */
/**
 * @typedef {object} PanelScene
 * @property {Rect} sphere
 * @property {Run|null} run
 * @property {number} k        progress of its move
 * @property {Pose} pose
 * @property {import("../layers/scene.js").Asked|null} asked  null: nothing is known of the run yet
 * @property {number} version  of the choices behind what is asked
 */
/**
 * @typedef {object} DrawOptions
 * @property {number} share    of the points that are drawn, above 0 to 1
 * @property {import("../layers/list.js").Switches} on  built-in layers
 * @property {import("../common/theme.js").Theme} theme
 */

export class Renderer {
  /** @param {HTMLCanvasElement} canvas @throws {Error} where there is no WebGL2 */
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", {
      antialias: false,
      alpha: false,
      depth: true,
      powerPreference: "high-performance",
    });
    if (!gl) throw new Error("This browser offers no WebGL2.");
    this.canvas = canvas;
    this.gl = gl;
    this.kind = "webgl2";
    const names = gl.getExtension("WEBGL_debug_renderer_info");
    this.device = String(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
    /** Drawn by the processor: every pixel counts, and the trainer wants the same cores. */
    this.software = /swiftshader|llvmpipe|software|basic render/i.test(this.device);
    this.ratio = 1;
    /** @type {{sync: WebGLSync, sent: number}|null} the last picture, while the card is still at it */
    this.fence = null;
    this.sent = this.sendPrograms();
    /** What lives on the card, from `begin` on. @type {ReturnType<Renderer["makeHeld"]>} */
    this.held;
    this.records = new SceneRecords();
    /**
     * @type {Record<string, import("../layers/scene.js").Counts>} by run: how much of each layer the last picture holds
     */
    this.counts = {};
  }

  /** Before anything is drawn. @throws {Error} where the driver refuses a shader */
  begin() {
    this.held = this.makeHeld();
  }

  /** Everything on the card is gone with a lost context, and is made anew. */
  rebuild() {
    this.fence = null;
    this.sent = this.sendPrograms();
    this.begin();
  }

  sendPrograms() {
    const { gl } = this;
    return {
      points: sendProgram(gl, glsl.POINT_VERTEX, glsl.POINT_FRAGMENT),
      backdrop: sendProgram(gl, glsl.BACKDROP_VERTEX, glsl.BACKDROP_FRAGMENT),
      line: sendProgram(gl, glsl.LINE_VERTEX, glsl.LINE_FRAGMENT),
      sign: sendProgram(gl, glsl.SIGN_VERTEX, glsl.SIGN_FRAGMENT),
      patch: sendProgram(gl, glsl.PATCH_VERTEX, glsl.PATCH_FRAGMENT),
    };
  }

  /** What lives on the card. */
  makeHeld() {
    const { gl, sent } = this;
    const [points, backdrop, line, sign, patch] = [sent.points, sent.backdrop, sent.line, sent.sign, sent.patch].map(
      (program) => takeProgram(gl, program),
    );
    const lines = () =>
      new Batch(
        gl,
        line,
        [
          ["a", 3],
          ["b", 3],
          ["ink", 4],
          ["stroke", 3],
        ],
        4,
      );
    const signs = () =>
      new Batch(
        gl,
        sign,
        [
          ["place", 3],
          ["ink", 4],
          ["form", 2],
        ],
        4,
      );
    const patches = new Batch(
      gl,
      patch,
      [
        ["place", 3],
        ["ink", 4],
      ],
      0,
    );
    /** @type {import("./records.js").Batches} */
    const batches = { patches, ground: lines(), mists: signs(), lines: lines(), signs: signs() };
    /** @type {Map<string, {buffers: PointBuffers, palette: WebGLTexture}>} */
    const runs = new Map();
    /** The empty sphere as it was painted last. */
    const sphere = {
      frame: gl.createFramebuffer(),
      colour: gl.createRenderbuffer(),
      w: 0,
      h: 0,
      pose: /** @type {Pose|null} */ (null),
      theme: /** @type {import("../common/theme.js").Theme|null} */ (null),
      grid: false,
    };
    gl.enable(gl.SCISSOR_TEST);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthFunc(gl.LEQUAL);
    // Rings are compiled when a run has samples of several classes.
    const rings = /** @type {import("./gl.js").Program|null} */ (null);
    return { points, rings, backdrop, batches, runs, sphere };
  }

  /**
   * @param {number} width CSS pixels @param {number} height @param {number} ratio device pixels each
   * @returns {boolean} whether it is another size, which clears the canvas
   */
  resize(width, height, ratio) {
    this.ratio = ratio;
    const { canvas } = this,
      w = Math.max(1, Math.round(width * ratio)),
      h = Math.max(1, Math.round(height * ratio));
    if (canvas.width === w && canvas.height === h) return false;
    Object.assign(canvas, { width: w, height: h });
    return true;
  }

  /** @param {string} id */
  partOf(id) {
    let part = this.held.runs.get(id);
    if (!part) {
      part = { buffers: new PointBuffers(this.gl), palette: /** @type {WebGLTexture} */ (this.gl.createTexture()) };
      this.held.runs.set(id, part);
    }
    return part;
  }

  /** @param {Run} run @param {Uint16Array} colours of each point, as places in the palette */
  colourRun(run, colours) {
    this.partOf(run.id).buffers.setColours(colours);
  }

  /** @param {Run} run @param {import("../scene/attributes.js").PointAttributes} attributes */
  setAttributes(run, { flags, sizes, pieces }) {
    this.partOf(run.id).buffers.setAttributes(flags, sizes, pieces);
    if (pieces) this.held.rings ??= takeProgram(this.gl, sendProgram(this.gl, glsl.RING_VERTEX, glsl.RING_FRAGMENT));
  }

  /** @param {Run} run @param {import("../common/colours.js").Rgb[]} palette */
  setPalette(run, palette) {
    const { gl } = this,
      rows = Math.max(1, Math.ceil(palette.length / glsl.PALETTE_ROW)),
      texels = new Uint8Array(glsl.PALETTE_ROW * rows * 4);
    palette.forEach((rgb, i) => {
      for (let k = 0; k < 3; k++) texels[i * 4 + k] = Math.round(rgb[k] * 255);
      texels[i * 4 + 3] = 255;
    });
    gl.bindTexture(gl.TEXTURE_2D, this.partOf(run.id).palette);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, glsl.PALETTE_ROW, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  }

  /** @param {string} id */
  dropRun(id) {
    const part = this.held.runs.get(id);
    part?.buffers.free();
    if (part) this.gl.deleteTexture(part.palette);
    this.held.runs.delete(id);
    this.records.drop(id);
  }

  /**
   * @param {PanelScene[]} panels @param {DrawOptions} options
   * @returns {number} points drawn
   */
  draw(panels, options) {
    const { gl, canvas } = this,
      { batches } = this.held;
    if (gl.isContextLost()) return 0;
    const all = SHEETS.map((name) => batches[name]);
    all.forEach((batch) => batch.clear());
    this.counts = {};
    const ranges = panels.map(({ run, k, asked, version }) => {
      const first = all.map((batch) => batch.count);
      if (run && asked) this.counts[run.id] = this.records.add(batches, run, k, asked, version);
      return all.map((batch, i) => /** @type {[number, number]} */ ([first[i], batch.count]));
    });
    all.forEach((batch) => batch.upload());
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.scissor(0, 0, canvas.width, canvas.height);
    gl.clearColor(...options.theme.page, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    let drawn = 0;
    panels.forEach((panel, i) => (drawn += this.drawPanel(panel, ranges[i], options)));
    const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (this.fence) gl.deleteSync(this.fence.sync);
    this.fence = sync && { sync, sent: performance.now() };
    gl.flush();
    return drawn;
  }

  /**
   * Whether the card is still drawing. Pictures sent faster than they are drawn would pile up, and in the end block the
   * page, which then could not even take in frames.
   * @returns {{busy: boolean, ms: number|null}} ms: how long the last picture took, told once
   */
  progress() {
    const { gl, fence } = this;
    if (!fence) return { busy: false, ms: null };
    if (!gl.isContextLost() && gl.getSyncParameter(fence.sync, gl.SYNC_STATUS) !== gl.SIGNALED)
      return { busy: true, ms: null };
    gl.deleteSync(fence.sync);
    this.fence = null;
    return { busy: false, ms: performance.now() - fence.sent };
  }

  /** @param {Rect} sphere @returns {[number, number, number, number]} in device pixels, from the bottom left */
  inDevice(sphere) {
    const r = this.ratio,
      w = Math.round(sphere.w * r),
      h = Math.round(sphere.h * r);
    return [Math.round(sphere.x * r), this.canvas.height - Math.round(sphere.y * r) - h, w, h];
  }

  /**
   * @param {PanelScene} panel @param {[number, number][]} ranges of each sheet @param {DrawOptions} options
   */
  drawPanel({ sphere, run, k, pose, asked }, ranges, { share, on, theme }) {
    const { gl } = this,
      { batches, points } = this.held,
      [x, y, w, h] = this.inDevice(sphere);
    if (w < 2 || h < 2) return 0;
    this.paintSphere([x, y, w, h], pose, on.grid, theme);
    const matrix = viewProjection(pose, w, h);
    /** @param {import("./gl.js").Program} p */
    const use = ({ program, uniforms: u }) => {
      gl.useProgram(program);
      gl.uniformMatrix4fv(u.matrix, false, matrix);
      gl.uniform1f(u.distance_, pose.distance);
      if (u.viewport) gl.uniform2f(u.viewport, w, h);
      if (u.ratio) gl.uniform1f(u.ratio, this.ratio);
      if (u.page) gl.uniform3fv(u.page, theme.page);
    };
    const part = run && this.held.runs.get(run.id);
    if (!run?.frame || !part || !asked) return 0;
    gl.enable(gl.BLEND);
    /** @param {(keyof import("../scene/strokes.js").Sheets)[]} names */
    const put = (...names) =>
      names.forEach((name) => {
        use(batches[name].program);
        batches[name].draw(...ranges[SHEETS.indexOf(name)]);
      });
    put("patches", "ground", "mists");
    let drawn = 0;
    if (on.points) {
      gl.enable(gl.DEPTH_TEST);
      gl.activeTexture(gl.TEXTURE0);
      gl.bindTexture(gl.TEXTURE_2D, part.palette);
      const { header, rows, absent } = run.frame,
        shown = Math.max(1, (rows?.length ?? header.n) * share),
        order = rows || share < 1 ? run.order : null;
      const radius = pointRadius(Math.min(sphere.w, sphere.h), shown) * this.ratio;
      for (const program of on.rings && part.buffers.ringed && this.held.rings ? [points, this.held.rings] : [points]) {
        use(program);
        const { uniforms: u } = program;
        gl.uniform1f(u.progress, k);
        gl.uniform1f(u.size, radius);
        gl.uniform1i(u.palette, 0);
        if (u.outline) gl.uniform1f(u.outline, 1.1 * this.ratio);
        const count = part.buffers.draw(program, run, order, shown);
        if (program === points) drawn = rows ? count : count - Math.round((absent ?? 0) * share);
      }
      gl.disable(gl.DEPTH_TEST);
    }
    put("lines", "signs");
    gl.disable(gl.BLEND);
    return drawn;
  }

  /**
   * The empty sphere depends on the camera alone, and panels mostly share one: it is computed pixel by pixel once, then
   * copied into each panel. While only points move, that costs a copy; with free cameras it is computed for each panel.
   * @param {[number, number, number, number]} place in device pixels @param {Pose} pose @param {boolean} grid
   * @param {import("../common/theme.js").Theme} theme
   */
  paintSphere([x, y, w, h], pose, grid, theme) {
    const { gl } = this;
    const { sphere, backdrop } = this.held;
    const resized = sphere.w !== w || sphere.h !== h;
    gl.bindFramebuffer(gl.FRAMEBUFFER, sphere.frame);
    if (resized) {
      gl.bindRenderbuffer(gl.RENDERBUFFER, sphere.colour);
      gl.renderbufferStorage(gl.RENDERBUFFER, gl.RGB8, w, h);
      gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.RENDERBUFFER, sphere.colour);
    }
    // A pose is never changed in place, nor is a theme.
    if (resized || sphere.pose !== pose || sphere.theme !== theme || sphere.grid !== grid) {
      Object.assign(sphere, { w, h, pose, theme, grid });
      gl.viewport(0, 0, w, h);
      gl.scissor(0, 0, w, h);
      const { program, uniforms: u } = backdrop;
      gl.useProgram(program);
      const f = focal(w, h),
        m = viewMatrix(pose);
      gl.uniform2f(u.focal, f.x, f.y);
      gl.uniform1f(u.distance_, pose.distance);
      // The transposed rotation takes what the eye sees back to where it is on the sphere.
      gl.uniformMatrix3fv(u.turn, false, [m[0], m[4], m[8], m[1], m[5], m[9], m[2], m[6], m[10]]);
      gl.uniform1f(u.pixel_, 2 / (f.y * h));
      gl.uniform3fv(u.page, theme.page);
      gl.uniform3fv(u.ink, theme.ink);
      gl.uniform1f(u.dark, theme.dark ? 1 : 0);
      gl.uniform1f(u.grid, grid ? 1 : 0);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, sphere.frame);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
    gl.viewport(x, y, w, h);
    gl.scissor(x, y, w, h);
    gl.blitFramebuffer(0, 0, w, h, x, y, x + w, y + h, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }
}

/**
 * Radius of a class-average point in CSS pixels: many points are small, and none vanishes.
 * @param {number} side of the sphere @param {number} n
 */
export const pointRadius = (side, n) => Math.min(4, Math.max(1.5, (0.36 * side) / Math.sqrt(Math.max(1, n))));
