/**
 * One stage on a page: puts the parts together, takes messages in, and keeps what is read in step with what is seen.
 */
import { mirrorPlace, serverAddress } from "./common/address.js";
import { Cameras } from "./scene/cameras.js";
import { RAMP, CATEGORICAL, toHex } from "./common/colours.js";
import { setAttribute } from "./common/dom.js";
import { readFrame, readRun } from "./incoming/frames.js";
import { tellSelections } from "./choices/selection.js";
import { watchGestures } from "./choices/gestures.js";
import { Controller } from "./choices/controller.js";
import { SceneSetter } from "./saving/scene.js";
import { Loop } from "./drawing/loop.js";
import { keepCameras, recallCameras } from "./common/memory.js";
import { formatBeside, Moments, MOST_PANELS, parseBeside } from "./incoming/moments.js";
import { roomFor } from "./scene/panels.js";
import { Parts } from "./parts.js";
import { Ledger } from "./reading/ledger.js";
import { Picture } from "./drawing/picture.js";
import { Run } from "./incoming/runs.js";
import { alike, Choices } from "./scene/choices.js";
import { readLink } from "./saving/permalink.js";
import { StreamSocket, streamAddress } from "./incoming/socket.js";
import { readTheme, watchTheme } from "./common/theme.js";
import { fill, useWords, words } from "./words.js";

/** @typedef {import("./common/types.js").StageData} StageData */

const TEXT_EVERY_MS = 120;
/** Attributes that are named where some are left out. */
const MOST_NAMED = 8;
const BADGE_EVERY_MS = 1000;

export class Stage {
  /**
   * @param {StageData} data
   * @param {Record<string, any>} telemetry what the page may read: `window.ltviz.stage`
   * @param {(options: import("./incoming/socket.js").SourceOptions) => import("./incoming/socket.js").Source}
   * [otherSource] where messages come from, if not by a socket
   */
  constructor(data, telemetry, otherSource) {
    const openSource = otherSource ?? ((options) => new StreamSocket(options));
    this.data = { ...data, runs: data.runs.slice(0, MOST_PANELS) };
    /** Runs that the page gave, more perhaps than there is room for. */
    this.asked = data.runs.length;
    this.telemetry = telemetry;
    this.name = data.view ?? "stage";
    useWords(data.words);
    /** @type {Map<string, Run>} the live ones */
    this.runs = new Map();
    const asked = readLink((data.guest ? "" : location.search) || (data.opening ?? ""));
    const kept = recallCameras(this.name);
    this.choices = new Choices({ ...kept, projection: data.projection ?? null, ...asked });
    this.cameras = new Cameras(this.choices);
    this.socket = openSource({
      address: () => this.streamAddress(this.data.runs, this.timeline ? this.timeline.holding : (data.step ?? null)),
      onMessage: (header, buffer, offset) => this.receive(header, buffer, offset),
      onLink: (link, detail) => this.parts?.showLink(link, detail, () => this.socket.open()),
      onTrouble: (trouble) => this.parts.showTrouble(trouble),
    });
    /** The server reads what it has to say while the canvas is made. */
    this.early = !otherSource && !data.guest && data.runs.length > 0;
    if (this.early) this.socket.open();
    this.picture = new Picture(this.choices, this.cameras);
    this.canvas = this.picture.canvas;
    this.moments = new Moments(
      (runs, step) => this.streamAddress(runs, step),
      {
        changed: () => this.momentsChanged(),
        dropped: (moment) => this.forget(moment),
        refused: (reason) => this.parts.notify([words.refused, reason].filter(Boolean).join(" ")),
      },
      openSource,
    );
    this.controller = new Controller(this);
    const parts = new Parts(data, this.picture, this.controller.acts());
    this.parts = parts;
    this.root = parts.root;
    this.overlay = parts.overlay;
    this.timeline = parts.timeline;
    this.ledger = new Ledger(parts.badge, telemetry);
    this.pointer = parts.pointer;
    watchGestures(this.canvas, this.controller.gestures());
    this.watchContext();
    this.loop = new Loop(this.picture, {
      runs: () => this.everyRun(),
      steady: () => this.timeline.mode !== "hold",
      urgent: () => this.timeline.dragging,
      before: (now) => this.pointer.look(now),
      after: (now) => this.drawn(now),
      onLanded: (landed) => {
        this.ledger.landed(landed);
        this.scheduleTexts();
      },
      onLevel: () => parts.notice.rest(this.picture.quality.simplified),
    });
    this.canvas.addEventListener("pointerdown", () => this.loop.hold(true));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
      this.canvas.addEventListener(end, () => this.loop.hold(false));
    this.scene = new SceneSetter(this);
    this.attached = false;
    /** Asks the page for the card of a run's method. @type {(run: string) => void} */
    this.askCard = () => {};
    /** While a film is taken, the address keeps the step it had. */
    this.filming = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.textTimer = undefined;
    /** @type {(() => void)[]} what ends with the stage's time on the page */
    this.endings = [];
    this.choices.watch((changed) => this.chosen(changed));
    if (!data.replay) tellSelections(this.choices, (message) => this.socket.send(message));
    this.setData(data, true);
  }

  /**
   * A person has chosen, or the page has: what draws and writes compares versions; here it is woken.
   * @param {Set<import("./scene/choices.js").Group>} changed
   */
  chosen(changed) {
    const { camera } = this.picture;
    if (changed.has("projection")) this.projectionChanged();
    if (changed.has("poses") || changed.has("cameras")) keepCameras(this.name, this.choices.now);
    if (changed.has("poses")) this.telemetry.camera = { ...camera.pose };
    if (changed.has("forces")) this.telemetry.lit = [...(this.choices.now.forces.lit ?? [])];
    this.scene.waiting.chosen(changed);
    // Where the ring is, and from where the spheres are seen, is read nowhere.
    if ([...changed].some((group) => group !== "ring" && group !== "poses")) this.scheduleTexts();
    // A layer may take room of its own under the panels, and a panel that of the others: laid out, all is drawn.
    if (this.attached && (changed.has("layers") || changed.has("panels"))) this.layout();
    else this.loop.schedule();
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
    const projection = this.choices.now.projection ?? undefined;
    return streamAddress({ ...data, stream, runs, projection }, hold, document.baseURI);
  }

  watchContext() {
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.parts.say(words.contextLost);
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.parts.say("");
      this.picture.rebuild();
      this.changed();
    });
  }

  /** @param {StageData} given @param {boolean} [first] */
  setData(given, first = false) {
    const data = { ...given, runs: given.runs.slice(0, MOST_PANELS) },
      before = this.data;
    const source = (/** @type {StageData} */ { stream, token, runs, hz }) => ({ stream, token, runs, hz });
    const anew = first || !alike(source(data), source(before));
    const stepGiven = first || data.step !== before.step;
    this.data = data;
    this.asked = given.runs.length;
    useWords(data.words);
    this.choices.set({
      ramp: data.ramp?.length ? data.ramp : RAMP,
      categorical: data.categorical?.length ? data.categorical : CATEGORICAL,
    });
    this.parts.projections.setChoices(data.projections ?? []);
    if (!first && (data.projection ?? null) !== (before.projection ?? null))
      this.choices.set({ projection: data.projection ?? null });
    if (!alike(data.lit ?? [], before?.lit ?? []))
      this.choices.set({ selected: data.lit?.length ? new Set(data.lit) : null });
    if (stepGiven && data.step !== null && data.step !== undefined) {
      this.timeline.mode = "hold";
      this.timeline.held = data.step;
      if (!anew) this.socket.send({ step: data.step });
    }
    if (!anew) {
      this.scene.follow(data, false);
      return this.refreshTheme();
    }
    // Other runs altogether, as after Train: what was held belongs to the past.
    if (!first && !stepGiven && !data.runs.some((id) => this.runs.has(id)) && this.timeline.mode === "hold")
      this.timeline.enter("follow", null);
    this.setRuns(data);
    this.scene.follow(data, true);
    this.parts.say(data.runs.length ? "" : words.empty, data.runs.length ? "" : words.emptyNext);
    this.sayStanding();
    setAttribute(this.canvas, "aria-label", fill(words.canvas, { count: data.runs.length }));
    if (first && !data.guest)
      this.controller.keepAsked(parseBeside(new URL(location.href).searchParams.get("beside"), data.runs));
    if (this.attached) {
      this.connect();
      this.refreshTheme();
      this.layout();
    }
  }

  /** What is to be known of the picture whatever happens. */
  sayStanding() {
    const { runs } = this.data,
      given = this.asked,
      left = [...new Set(this.shown.flatMap((run) => run.info?.header.attributes_left ?? []))];
    this.parts.notice.stand([
      this.picture.renderer.kind === "flat" && words.noSphere,
      given > runs.length && fill(words.tooMany, { most: MOST_PANELS, count: given }),
      left.length > 0 && fill(words.attributesLeft, { names: left.slice(0, MOST_NAMED).join(", ") }),
    ]);
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

  projectionChanged() {
    this.socket.send({ projection: this.choices.now.projection ?? this.data.projections?.[0]?.name });
    this.moments.renew();
    this.mirror();
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
      this.pointer.lighting.listen(),
      () => resizes.disconnect(),
      () => document.removeEventListener("pointerdown", closeMenus),
      () => document.removeEventListener("fullscreenchange", filled),
      () => clearInterval(beat),
    ];
    this.loop.start(this.early);
    this.refreshTheme();
    this.layout();
    if (!this.early) this.connect();
    this.early = false;
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
    const { root } = this;
    const theme = readTheme(root, this.data.theme);
    this.loop.invalidate();
    if (!this.choices.set({ theme })) return;
    root.dataset.theme = theme.dark ? "dark" : "light";
    for (const name of /** @type {const} */ (["page", "ink", "line"]))
      root.style.setProperty(`--ltv-${name}`, toHex(theme[name]));
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
    const { height, cleared } = picture.layout(this.everyRun(), width, roomFor(window.innerHeight, around));
    this.parts.stage.style.height = `${height}px`;
    overlay.place(picture.shown.length ? picture.rects : [], this.choices.now.solo !== null);
    this.parts.menus.showFilled(filled);
    this.writeTexts();
    if (cleared) this.loop.redraw(performance.now());
    else this.loop.invalidate();
  }

  /** @param {any} header @param {ArrayBuffer} buffer @param {number} offset */
  receive(header, buffer, offset) {
    if ("step" in header) return this.receiveFrame(header, buffer, offset);
    const run = this.runs.get(header.run);
    if (header.type === "clock") this.timeline.setClock(header);
    else if (header.type === "error") this.parts.notify(header.message);
    else if (header.type === "run" && run) {
      run.setInfo(readRun(buffer, header, offset));
      this.pointer.forget(run);
      this.sayStanding();
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
    this.ledger.arrived(header.seq);
    this.scene.arrived(header.step);
    this.loop.invalidate();
  }

  /** Something else than a frame changed what is to be seen. */
  changed() {
    this.scheduleTexts();
    this.loop.invalidate();
  }

  /** A picture is on its way to the screen. @param {number} now */
  drawn(now) {
    const { picture } = this;
    this.ledger.drawn(now, picture, this.loop.points, this.everyRun());
    this.parts.notice.tell(picture, this.loop.points);
    picture.shown.forEach((run, i) => {
      const centres = picture.on.labels && run.frame ? run.placesAt("centres", run.progress(now)) : [],
        rect = picture.rects[i];
      if (rect)
        this.overlay.moveLabels(
          i,
          centres,
          rect,
          picture.placer(rect),
          picture.poseAt(i).distance,
          this.choices.now.chosen,
        );
    });
  }

  scheduleTexts() {
    this.textTimer ??= setTimeout(() => this.writeTexts(), TEXT_EVERY_MS);
  }

  writeTexts() {
    clearTimeout(this.textTimer);
    this.textTimer = undefined;
    if (this.choices.now.theme) this.parts.write(this.picture, this.shown, this.moments.wishes, this.data);
  }

  writeBadge() {
    this.ledger.write(this.loop.points, this.runs.values(), this.shown.length, this.picture.quality.simplified);
  }

  mirror() {
    if (this.filming || this.data.guest) return;
    const usual = this.data.projections?.[0]?.name ?? null;
    const { projection } = this.choices.now;
    mirrorPlace({
      step: this.timeline.holding,
      beside: formatBeside(this.moments.wishes, this.data.runs),
      projection: projection === usual ? null : projection,
    });
  }
}
