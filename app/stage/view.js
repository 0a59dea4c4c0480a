/**
 * One stage on a page: puts the parts together, takes messages in, and keeps what is read in step with what is seen.
 */
import { mirrorPlace, serverAddress } from "./common/address.js";
import { Cameras } from "./scene/cameras.js";
import { RAMP, CATEGORICAL, toHex } from "./scene/colours.js";
import { make, setAttribute } from "./common/dom.js";
import { readFrame, readRun } from "./incoming/frames.js";
import { watchHands } from "./choices/gestures.js";
import { Hand } from "./choices/hand.js";
import { Loop } from "./drawing/loop.js";
import { keepCameras, recallCameras } from "./common/memory.js";
import { formatBeside, Moment, Moments, parseBeside } from "./incoming/moments.js";
import { MOST_PANELS, roomFor } from "./scene/panels.js";
import { Parts } from "./reading/parts.js";
import { Picture } from "./scene/picture.js";
import { Run } from "./incoming/runs.js";
import { restoreSight } from "./saving/sight.js";
import { StreamSocket, streamAddress } from "./incoming/socket.js";
import { readTheme, watchTheme } from "./common/theme.js";
import { chooseWords, fill } from "./words.js";

/** @typedef {import("./common/types.js").StageData} StageData */

const TEXT_EVERY_MS = 120,
  BADGE_EVERY_MS = 1000;

export class StageView {
  /**
   * @param {StageData} data @param {Record<string, any>} facts what the page may read: `window.ltviz.stage`
   * @param {(options: import("./incoming/socket.js").SourceOptions) => import("./incoming/socket.js").Source}
   * [openSource] where messages come from
   */
  constructor(data, facts, openSource = (options) => new StreamSocket(options)) {
    this.data = data;
    this.facts = facts;
    this.name = data.view ?? "stage";
    this.words = chooseWords(data.words);
    /** @type {Map<string, Run>} the live ones */
    this.runs = new Map();
    /** @type {string|null} the projection asked for; null: the server's default */
    this.projection = data.projection ?? null;
    this.cameras = new Cameras(recallCameras(this.name), (kept) => keepCameras(this.name, kept));
    this.picture = new Picture(
      () => make("canvas", "ltv-canvas", { "data-testid": "ltviz-stage", role: "img", tabindex: "0" }),
      this.cameras,
    );
    restoreSight(this.picture, location.search || (data.opening ?? ""));
    this.canvas = this.picture.canvas;
    this.moments = new Moments(
      (runs, step) => this.streamAddress(runs, step),
      {
        changed: () => this.momentsChanged(),
        dropped: (moment) => this.forget(moment),
        refused: (reason) => this.parts.notify([this.words.refused, reason].filter(Boolean).join(" ")),
      },
      openSource,
    );
    this.hand = new Hand(this);
    const parts = new Parts(data, this.words, this.picture, this.hand.acts());
    this.parts = parts;
    this.root = parts.root;
    this.overlay = parts.overlay;
    this.timeline = parts.timeline;
    this.badge = parts.badge;
    this.pointer = parts.pointer;
    watchHands(this.canvas, this.hand.hands());
    this.watchContext();
    this.socket = openSource({
      address: () => this.streamAddress(this.data.runs, this.timeline.mode === "hold" ? this.timeline.held : null),
      onMessage: (header, buffer, offset) => this.receive(header, buffer, offset),
      onLink: (link, detail) => parts.showLink(link, detail, this.standing, () => this.socket.open()),
      onTrouble: (trouble) => parts.showTrouble(trouble),
    });
    this.loop = new Loop(this.picture, {
      runs: () => this.everyRun(),
      steady: () => this.timeline.mode !== "hold",
      urgent: () => this.timeline.dragging,
      before: (now) => this.pointer.look(now),
      after: (now) => this.drawn(now),
      onLanded: (landed) => this.landed(landed),
      onLevel: () =>
        parts.notify(
          this.picture.quality.simplified
            ? fill(this.words.simplified, { what: this.picture.quality.simplified })
            : this.standing,
        ),
    });
    this.attached = false;
    /** While a film is taken, the address keeps the step it had. */
    this.filming = false;
    this.themeKey = "";
    /** What is said under the stage while there is nothing newer to say. */
    this.standing = "";
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.textTimer = undefined;
    /** @type {(() => void)[]} what ends with the stage's time on the page */
    this.endings = [];
    this.setData(data, true);
  }

  /** The live runs, as the page orders them. */
  get shown() {
    return this.data.runs.flatMap((id) => this.runs.get(id) ?? []);
  }

  /** Live runs, and beside them the moments kept. */
  everyRun() {
    return [...this.shown, ...this.moments.kept.values()];
  }

  /** @param {string[]} runs @param {number|null} hold */
  streamAddress(runs, hold) {
    const { data } = this,
      stream = serverAddress(data.stream);
    return streamAddress({ ...data, stream, runs, projection: this.projection ?? undefined }, hold, document.baseURI);
  }

  watchContext() {
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.parts.say(this.words.contextLost);
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.parts.say("");
      this.picture.rebuild(this.everyRun());
      this.changed();
    });
  }

  /** @param {StageData} given @param {boolean} [first] */
  setData(given, first = false) {
    const data = { ...given, runs: given.runs.slice(0, MOST_PANELS) },
      before = this.data;
    const stream = (/** @type {StageData} */ d) => JSON.stringify([d.stream, d.token, d.runs, d.hz]);
    const anew = first || stream(data) !== stream(before);
    const stepGiven = first || data.step !== before.step;
    this.data = data;
    this.picture.ramp = data.ramp?.length ? data.ramp : RAMP;
    this.picture.categorical = data.categorical?.length ? data.categorical : CATEGORICAL;
    this.parts.projections.setChoices(data.projections ?? []);
    if (!first && (data.projection ?? null) !== (before.projection ?? null))
      this.setProjection(data.projection ?? null);
    if (stepGiven && data.step !== null && data.step !== undefined) {
      this.timeline.mode = "hold";
      this.timeline.held = data.step;
      if (!anew) this.socket.send({ step: data.step });
    }
    if (!anew) return this.refreshTheme();
    // Other runs altogether, as after Train: what was held belongs to the past.
    if (!first && !stepGiven && !data.runs.some((id) => this.runs.has(id)) && this.timeline.mode === "hold")
      this.timeline.enter("follow", null);
    this.setRuns(data);
    this.parts.say(data.runs.length ? "" : this.words.empty, data.runs.length ? "" : this.words.emptyNext);
    this.standing =
      given.runs.length > MOST_PANELS ? fill(this.words.tooMany, { most: MOST_PANELS, count: given.runs.length }) : "";
    if (this.picture.renderer.kind === "flat") this.standing = this.words.noSphere;
    this.parts.notify(this.standing);
    setAttribute(this.canvas, "aria-label", fill(this.words.canvas, { count: data.runs.length }));
    if (first) this.hand.keepAsked(parseBeside(new URL(location.href).searchParams.get("beside"), data.runs));
    if (this.attached) {
      this.connect();
      this.refreshTheme();
      this.layout();
    }
  }

  /** @param {StageData} data */
  setRuns(data) {
    for (const [id, run] of this.runs)
      if (!data.runs.includes(id)) {
        this.runs.delete(id);
        this.forget(run);
      }
    this.moments.prune(data.runs);
    for (const id of data.runs) if (!this.runs.has(id)) this.runs.set(id, new Run(id));
    for (const [id, run] of this.runs) run.called = data.titles?.[id] ?? "";
  }

  /** A panel is gone for good. @param {Run} run */
  forget(run) {
    this.pointer.forget(run);
    this.picture.drop(run.id);
  }

  momentsChanged() {
    for (const moment of this.moments.kept.values()) moment.called = this.runs.get(moment.of)?.called ?? "";
    this.mirror();
    if (this.attached) this.layout();
    this.changed();
  }

  /** @param {string|null} name null: the server's default */
  setProjection(name) {
    if (name === this.projection) return;
    this.projection = name;
    this.socket.send({ projection: name ?? this.data.projections?.[0]?.name });
    this.moments.renew();
    this.mirror();
    this.changed();
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
    const filled = () => this.layout();
    document.addEventListener("pointerdown", closeMenus);
    document.addEventListener("fullscreenchange", filled);
    const beat = setInterval(() => this.writeBadge(), BADGE_EVERY_MS);
    this.endings = [
      watchTheme(this.root, () => this.refreshTheme()),
      () => resizes.disconnect(),
      () => document.removeEventListener("pointerdown", closeMenus),
      () => document.removeEventListener("fullscreenchange", filled),
      () => clearInterval(beat),
    ];
    this.loop.start();
    this.refreshTheme();
    this.layout();
    this.connect();
  }

  /** Off the page, but all that was seen is kept: the next mount goes on from here. */
  detach() {
    this.attached = false;
    this.socket.close();
    this.endings.forEach((end) => end());
    this.loop.stop();
    this.root.remove();
  }

  refreshTheme() {
    const root = this.root,
      theme = readTheme(root, this.data.theme),
      key = JSON.stringify(theme);
    if (key === this.themeKey) return this.loop.invalidate();
    this.themeKey = key;
    this.picture.setTheme(theme);
    root.dataset.theme = theme.dark ? "dark" : "light";
    for (const name of /** @type {const} */ (["page", "ink", "line"]))
      root.style.setProperty(`--ltv-${name}`, toHex(theme[name]));
    this.changed();
  }

  layout() {
    const { picture, root, overlay } = this,
      filled = root.matches(":fullscreen");
    // In full screen the stage keeps clear of the screen's edge.
    const style = getComputedStyle(root),
      width = Math.floor(root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
    if (!(width > 0) || !this.attached) return;
    const around = filled
      ? this.parts.heightAround() + parseFloat(style.paddingTop) + parseFloat(style.paddingBottom)
      : 0;
    const height = picture.layout(this.everyRun(), width, roomFor(window.innerHeight, around));
    this.parts.stage.style.height = `${height}px`;
    overlay.place(picture.shown.length ? picture.rects : [], picture.solo !== null);
    this.parts.menus.showFilled(filled);
    this.writeTexts();
    this.loop.draw(performance.now());
  }

  /** @param {any} header @param {ArrayBuffer} buffer @param {number} offset */
  receive(header, buffer, offset) {
    if ("step" in header) return this.receiveFrame(header, buffer, offset);
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
      this.parts.told = true;
      this.timeline.setRuns(this.shown, this.moments.wishes);
    }
    this.scheduleTexts();
  }

  /** @param {import("./common/types.js").FrameHeader} header @param {ArrayBuffer} buffer @param {number} offset */
  receiveFrame(header, buffer, offset) {
    const run = this.runs.get(header.run);
    if (!run) return;
    run.receive(readFrame(buffer, header, offset));
    this.badge.addArrival(performance.now());
    this.facts.frames++;
    this.facts.seq = header.seq;
    this.loop.invalidate();
  }

  /** Something else than a frame changed what is to be seen. */
  changed() {
    this.scheduleTexts();
    this.loop.invalidate();
  }

  /** Pictures with their new frames are on the screen. @param {Run[]} landed */
  landed(landed) {
    const { facts } = this;
    for (const run of landed) {
      if (!run.frame) continue;
      facts.drawn[run.id] = (facts.drawn[run.id] ?? 0) + 1;
      if (!(run instanceof Moment)) this.badge.addDelay((facts.latencyMs = Date.now() - run.frame.header.time * 1000));
    }
    this.scheduleTexts();
  }

  /** A picture is on its way to the screen. @param {number} now */
  drawn(now) {
    const { picture, facts } = this;
    // Empty spheres are no news: the rate is that of pictures with a frame on them.
    if (picture.shown.some((run) => run.frame && run.info)) this.badge.addDrawing(now);
    facts.draws++;
    facts.camera = { ...picture.camera.pose };
    facts.layers = picture.renderer.tallies;
    facts.panels = this.everyRun().map((run) =>
      run instanceof Moment
        ? { run: run.of, step: run.frame ? run.step : null, frozen: true }
        : { run: run.id, step: run.frame?.header.step ?? null },
    );
    picture.shown.forEach((run, i) => {
      const centres = picture.layers.labels && run.frame ? run.marksAt("centres", run.progress(now)) : [],
        rect = picture.rects[i];
      if (rect)
        this.overlay.moveLabels(i, centres, rect, picture.placer(rect), picture.poseAt(i).distance, picture.chosen);
    });
  }

  scheduleTexts() {
    this.textTimer ??= setTimeout(() => this.writeTexts(), TEXT_EVERY_MS);
  }

  writeTexts() {
    clearTimeout(this.textTimer);
    this.textTimer = undefined;
    if (this.picture.theme) this.parts.write(this.picture, this.shown, this.moments.wishes, this.data, this.projection);
  }

  writeBadge() {
    const { points } = this.loop,
      skipped = [...this.runs.values()].reduce((sum, run) => sum + run.replaced, 0);
    const { drawn } = this.badge.write(performance.now(), {
      points,
      skipped,
      panels: this.shown.length,
      simplified: this.picture.quality.simplified,
    });
    Object.assign(this.facts, { fps: drawn, skipped, points });
  }

  mirror() {
    if (this.filming) return;
    const usual = this.data.projections?.[0]?.name ?? null;
    mirrorPlace({
      step: this.timeline.mode === "hold" ? this.timeline.held : null,
      beside: formatBeside(this.moments.wishes, this.data.runs),
      projection: this.projection === usual ? null : this.projection,
    });
  }
}
