/** One stage on a page: puts the parts together, takes messages in, and draws when something has changed. */
import { mirrorStep } from "./address.js";
import { HOME, MOVE_MS, poseOfKey, poseToward } from "./camera.js";
import { RAMP, CATEGORICAL, toHex } from "./colours.js";
import { make, setAttribute } from "./dom.js";
import { savePicture } from "./export.js";
import { readFrame, readRun } from "./frames.js";
import { watchHands } from "./gestures.js";
import { keepPose, recallPose } from "./memory.js";
import { Pace } from "./pace.js";
import { MOST_PANELS } from "./panels.js";
import { Parts } from "./parts.js";
import { Picture } from "./picture.js";
import { Run } from "./runs.js";
import { StreamSocket, streamAddress } from "./socket.js";
import { readTheme, watchTheme } from "./theme.js";
import { chooseWords, fill } from "./words.js";

/** @typedef {import("./types.js").StageData} StageData */

const TEXT_EVERY_MS = 120, BADGE_EVERY_MS = 1000, KEY_MS = 140;
const STAGE_SHARE = 0.76, LEAST_ROOM = 380, MOST_ROOM = 760;

export class StageView {
  /** @param {StageData} data @param {Record<string, any>} facts what the page may read: `window.ltviz.stage` */
  constructor(data, facts) {
    this.data = data;
    this.facts = facts;
    this.name = data.view ?? "stage";
    this.words = chooseWords(data.words);
    /** @type {Map<string, Run>} */
    this.runs = new Map();
    this.picture = new Picture(
      () => make("canvas", "ltv-canvas", { "data-testid": "ltviz-stage", role: "img", tabindex: "0" }),
      recallPose(this.name),
    );
    this.canvas = this.picture.canvas;
    const parts = new Parts(data, this.words, this.picture, this.acts());
    this.parts = parts;
    this.root = parts.root;
    this.overlay = parts.overlay;
    this.timeline = parts.timeline;
    this.badge = parts.badge;
    this.pointer = parts.pointer;
    watchHands(this.canvas, this.hands());
    this.watchContext();
    this.socket = new StreamSocket({
      address: () => streamAddress(this.data, this.timeline.mode === "hold" ? this.timeline.held : null, document.baseURI),
      onMessage: (header, buffer, offset) => this.receive(header, buffer, offset),
      onLink: (link, detail) => parts.showLink(link, detail, this.standing, () => this.socket.open()),
    });
    this.dirty = true;
    this.raf = 0;
    this.pace = new Pace(this.picture, () => this.requalify());
    this.points = 0;
    this.attached = false;
    this.themeKey = "";
    /** What is said under the stage while there is nothing newer to say. */
    this.standing = "";
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.textTimer = undefined;
    /** @type {(() => void)[]} what ends with the stage's time on the page */
    this.endings = [];
    this.setData(data, true);
  }

  /** What the menus, the timeline and the hand ask for. @returns {import("./parts.js").Acts} */
  acts() {
    const { picture } = this;
    return {
      request: (request) => this.socket.send(request),
      timeChanged: () => this.mirror(),
      showAlone: (id) => this.showAlone(picture.solo === id ? null : id),
      select: (ids) => this.select(ids),
      redraw: () => this.invalidate(),
      onLayers: () => this.changed(),
      onColour: (mode) => {
        picture.colourMode = mode;
        this.changed();
      },
      onLook: (where) => this.lookAt(where),
      onChoose: (chosen) => {
        picture.chosen = chosen;
        this.changed();
      },
      onExport: () => this.save(),
      onSpin: (on) => {
        picture.spinning = on;
        this.invalidate();
      },
    };
  }

  watchContext() {
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.parts.say(this.words.contextLost);
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.parts.say("");
      this.picture.rebuild(this.runs.values());
      this.changed();
    });
  }

  /** @returns {import("./gestures.js").Hands} */
  hands() {
    const { picture } = this, { camera } = picture;
    const moved = () => {
      keepPose(this.name, camera.goal);
      this.facts.camera = { ...camera.pose };
      this.invalidate();
    };
    return {
      turn: (dx, dy) => (camera.nudge(dx / picture.grip, dy / picture.grip), moved()),
      zoom: (factor) => (camera.nudge(0, 0, factor), moved()),
      hover: (x, y) => this.pointer.move(x, y),
      leave: () => this.pointer.leave(),
      click: (x, y) => this.pointer.click(x, y, performance.now()),
      lasso: (x, y, phase) => this.pointer.lasso(x, y, phase),
      onSphere: (x, y) => picture.onSphere(x, y),
      key: (key) => this.key(key),
    };
  }

  /** @param {string} key @returns {boolean} */
  key(key) {
    const to = poseOfKey(key, this.picture.camera.goal);
    if (to) this.fly(to, key === "Home" ? MOVE_MS : KEY_MS);
    else if (key === " ") this.timeline.togglePlay();
    else if (key === ",") this.timeline.walk(-1);
    else if (key === ".") this.timeline.walk(1);
    else if (key === "Escape") this.escape();
    else return false;
    return true;
  }

  escape() {
    if (this.pointer.pin) this.pointer.release();
    else if (this.picture.selected) this.select(null);
    else this.showAlone(null);
  }

  /** @param {Partial<import("./types.js").Pose>} to @param {number} [ms] */
  fly(to, ms = MOVE_MS) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.picture.camera.moveTo(to, performance.now(), calm ? 0 : ms);
    keepPose(this.name, this.picture.camera.goal);
    this.invalidate();
  }

  /** @param {"home"|"top"|"front"|number} where a number: along the centre of that class */
  lookAt(where) {
    if (where === "home") this.fly(HOME);
    else if (where === "top") this.fly({ yaw: 0, pitch: Math.PI / 2 });
    else if (where === "front") this.fly({ yaw: 0, pitch: 0 });
    else {
      const centre = this.shown.map((run) => run.frame?.header.centres[where]).find(Boolean);
      if (centre) this.fly(poseToward(centre));
    }
  }

  /** @param {string|null} id */
  showAlone(id) {
    this.picture.solo = id;
    this.layout();
  }

  /** @param {Set<number>|null} ids */
  select(ids) {
    this.picture.selected = ids;
    this.picture.dressed.clear();
    this.parts.selection.write(ids, this.shown);
    this.changed();
  }

  get shown() {
    return this.data.runs.flatMap((id) => this.runs.get(id) ?? []);
  }

  /** @param {StageData} given @param {boolean} [first] */
  setData(given, first = false) {
    const data = { ...given, runs: given.runs.slice(0, MOST_PANELS) };
    const stream = (/** @type {StageData} */ d) => JSON.stringify([d.stream, d.token, d.runs, d.hz, d.projection]);
    const anew = first || stream(data) !== stream(this.data);
    const stepGiven = first || data.step !== this.data.step;
    this.data = data;
    this.picture.ramp = data.ramp?.length ? data.ramp : RAMP;
    this.picture.categorical = data.categorical?.length ? data.categorical : CATEGORICAL;
    if (stepGiven && data.step !== null && data.step !== undefined) {
      this.timeline.mode = "hold";
      this.timeline.held = data.step;
      if (!anew) this.socket.send({ step: data.step });
    }
    if (!anew) return this.refreshTheme();
    // Other runs altogether, as after Train: what was held belongs to the past.
    if (!first && !stepGiven && !data.runs.some((id) => this.runs.has(id)) && this.timeline.mode === "hold") this.timeline.enter("follow", null);
    for (const [id, run] of this.runs)
      if (!data.runs.includes(id)) {
        this.runs.delete(id);
        this.pointer.forget(run);
        this.picture.drop(id);
      }
    for (const id of data.runs) if (!this.runs.has(id)) this.runs.set(id, new Run(id));
    for (const [id, run] of this.runs) run.called = data.titles?.[id] ?? "";
    this.parts.say(data.runs.length ? "" : this.words.empty, data.runs.length ? "" : this.words.emptyNext);
    this.standing = given.runs.length > MOST_PANELS ? fill(this.words.tooMany, { most: MOST_PANELS, count: given.runs.length }) : "";
    if (this.picture.renderer.kind === "flat") this.standing = this.words.noSphere;
    this.parts.notify(this.standing);
    setAttribute(this.canvas, "aria-label", fill(this.words.canvas, { count: data.runs.length }));
    if (this.attached) {
      this.connect();
      this.refreshTheme();
      this.layout();
    }
  }

  connect() {
    if (this.data.runs.length) this.socket.open();
    else this.socket.close();
  }

  /** @param {ParentNode & Node} parent */
  attach(parent) {
    parent.append(this.root);
    if (this.attached) return;
    this.attached = true;
    const resizes = new ResizeObserver(() => this.layout());
    resizes.observe(this.root);
    const closeMenus = (/** @type {Event} */ event) => this.parts.menus.closeOutside(event);
    document.addEventListener("pointerdown", closeMenus);
    const beat = setInterval(() => this.writeBadge(), BADGE_EVERY_MS);
    this.endings = [
      watchTheme(this.root, () => this.refreshTheme()),
      () => resizes.disconnect(),
      () => document.removeEventListener("pointerdown", closeMenus),
      () => clearInterval(beat),
      () => cancelAnimationFrame(this.raf),
    ];
    this.refreshTheme();
    this.layout();
    this.connect();
  }

  /** Off the page, but all that was seen is kept: the next mount goes on from here. */
  detach() {
    this.attached = false;
    this.socket.close();
    this.endings.forEach((end) => end());
    this.raf = 0;
    this.root.remove();
  }

  refreshTheme() {
    const root = this.root, theme = readTheme(root, this.data.theme), key = JSON.stringify(theme);
    if (key === this.themeKey) return this.invalidate();
    this.themeKey = key;
    this.picture.setTheme(theme);
    root.dataset.theme = theme.dark ? "dark" : "light";
    for (const name of /** @type {const} */ (["page", "ink", "line"])) root.style.setProperty(`--ltv-${name}`, toHex(theme[name]));
    this.changed();
  }

  layout() {
    const width = Math.floor(this.root.clientWidth);
    if (!width || !this.attached) return;
    const room = Math.min(MOST_ROOM, Math.max(LEAST_ROOM, window.innerHeight * STAGE_SHARE));
    const height = this.picture.layout(this.shown, width, room);
    this.parts.stage.style.height = `${height}px`;
    this.overlay.place(this.shown.length ? this.picture.rects : [], this.picture.solo !== null);
    this.writeTexts();
    this.draw(performance.now());
  }

  /** @param {any} header @param {ArrayBuffer} buffer @param {number} offset */
  receive(header, buffer, offset) {
    if (header.step !== undefined && header.type === undefined) return this.receiveFrame(header, buffer, offset);
    const run = this.runs.get(header.run);
    if (header.type === "clock") this.timeline.setClock(header);
    else if (header.type === "error") this.parts.notify(header.message);
    else if (header.type === "run" && run) {
      run.setInfo(readRun(buffer, header, offset));
      this.picture.dressed.delete(run.id);
      this.pointer.forget(run);
      this.changed();
    } else if (header.type === "state" && run) {
      run.setState(header);
      this.timeline.setRuns(this.shown);
    }
    this.scheduleTexts();
  }

  /** @param {import("./types.js").FrameHeader} header @param {ArrayBuffer} buffer @param {number} offset */
  receiveFrame(header, buffer, offset) {
    const run = this.runs.get(header.run);
    if (!run) return;
    run.receive(readFrame(buffer, header, offset));
    this.badge.addArrival(performance.now());
    this.facts.frames++;
    this.facts.seq = header.seq;
    this.invalidate();
  }

  /** Something else than a frame changed what is to be seen. */
  changed() {
    this.scheduleTexts();
    this.invalidate();
  }

  invalidate() {
    this.dirty = true;
    this.schedule();
  }

  schedule() {
    if (!this.raf && this.attached) this.raf = requestAnimationFrame((now) => this.tick(now));
  }

  /** @param {number} now */
  tick(now) {
    this.raf = 0;
    const { picture, pace } = this, gap = now - pace.drawnAt;
    const news = [...this.runs.values()].some((run) => run.pending && run.info);
    if (!pace.allows(now, { news, dirty: this.dirty, points: this.points })) return this.schedule();
    const accepted = this.accept(now);
    const flew = picture.camera.step(now);
    picture.spin(gap);
    if (accepted.length || flew || picture.spinning || picture.moving(now)) this.dirty = true;
    if (!this.dirty) return;
    this.dirty = false;
    this.draw(now);
    for (const frame of accepted) this.badge.addDelay((this.facts.latencyMs = Date.now() - frame.time * 1000));
    if (picture.camera.move || picture.spinning || picture.moving(now)) this.dirty = true;
    this.schedule();
  }

  /** @param {number} now @returns {import("./types.js").FrameHeader[]} */
  accept(now) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches, steady = this.timeline.mode !== "hold";
    const accepted = [];
    for (const run of this.runs.values()) {
      if (!run.pending || !run.info) continue;
      this.picture.accept(run, now, !calm, steady);
      if (run.frame) accepted.push(run.frame.header);
    }
    if (accepted.length) this.scheduleTexts();
    return accepted;
  }

  requalify() {
    // Another size clears the canvas, so it has to be drawn again.
    this.picture.fit();
    this.dirty = true;
    this.parts.notify(this.picture.quality.simplified ? fill(this.words.simplified, { what: this.picture.quality.simplified }) : this.standing);
  }

  /** @param {number} now */
  draw(now) {
    const { picture, facts } = this, { camera } = picture;
    this.pointer.look(now);
    this.points = picture.draw(now);
    this.pace.drawnAt = now;
    this.badge.addDrawing(now);
    facts.draws++;
    facts.camera = { ...camera.pose };
    facts.panels = this.shown.map((run) => ({ run: run.id, step: run.frame ? run.frame.header.step : null }));
    picture.shown.forEach((run, i) => {
      const centres = picture.layers.labels && run.frame ? run.marksAt("centres", run.progress(now)) : [];
      if (picture.rects[i]) this.overlay.moveLabels(i, centres, picture.rects[i], picture.placer(picture.rects[i]), camera.pose.distance, picture.chosen);
    });
  }

  scheduleTexts() {
    this.textTimer ??= setTimeout(() => this.writeTexts(), TEXT_EVERY_MS);
  }

  writeTexts() {
    clearTimeout(this.textTimer);
    this.textTimer = undefined;
    const { picture, data, shown } = this;
    if (!picture.theme) return;
    this.parts.write(picture, shown, data.measures ?? []);
  }

  writeBadge() {
    const skipped = [...this.runs.values()].reduce((sum, run) => sum + run.replaced, 0);
    const { drawn } = this.badge.write(performance.now(), {
      points: this.points, skipped, panels: this.shown.length, simplified: this.picture.quality.simplified,
    });
    Object.assign(this.facts, { fps: drawn, skipped, points: this.points });
  }

  mirror() {
    mirrorStep(this.timeline.mode === "hold" ? this.timeline.held : null);
  }

  async save() {
    const { picture, shown } = this, now = performance.now();
    if (picture.theme) await savePicture(picture, () => picture.draw(now), shown, this.data.measures ?? []);
    this.invalidate();
  }
}
