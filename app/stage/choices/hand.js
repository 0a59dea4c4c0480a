/** What a person does to a stage, with the pointer, the keys and the menus, and what then happens. */
import { HOME, MOVE_MS, poseOfKey, poseToward } from "../scene/camera.js";
import { MOST_PANELS } from "../scene/panels.js";
import { interpret } from "./search.js";
import { fill } from "../words.js";

/** @typedef {import("./gestures.js").Tool} Tool */

const KEY_MS = 140;

export class Hand {
  /** @param {import("../view.js").StageView} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {Tool} what a drag does */
    this.tool = "turn";
  }

  /** What the menus, the timeline and the panels ask for. @returns {import("../reading/parts.js").Acts} */
  acts() {
    const { stage } = this,
      { picture, cameras, moments } = stage;
    return {
      request: (request) => stage.socket.send(request),
      // A browser takes a few hundred new addresses a minute, and a hand on the slider would ask for thousands.
      timeChanged: () => {
        stage.parts.writeNow(stage.shown);
        if (!stage.timeline.dragging) stage.mirror();
      },
      showAlone: (id) => this.showAlone(picture.solo === id ? null : id),
      select: (ids) => this.select(ids),
      redraw: () => stage.loop.invalidate(),
      // A layer may take room of its own under the panels.
      onLayers: () => stage.layout(),
      onColour: (mode) => {
        picture.colourMode = mode;
        stage.changed();
      },
      onLook: (where) => this.lookAt(where),
      onFind: (text) => this.find(text),
      onFree: (free) => {
        cameras.setFree(free);
        stage.changed();
      },
      onSpin: (on) => {
        cameras.spinning = on;
        stage.loop.invalidate();
      },
      onTool: (tool) => this.setTool(tool),
      onFill: () => this.fillScreen(),
      onProjection: (name) => stage.setProjection(name),
      onKeep: () => this.keepMoment(),
      onRelease: (id) => moments.drop(id),
      onSave: (save) => this.save(save),
    };
  }

  /** @returns {import("./gestures.js").Hands} */
  hands() {
    const { stage } = this,
      { picture, cameras } = stage;
    return {
      tool: () => this.tool,
      grab: (x, y) => this.touch(x, y),
      turn: (dx, dy) => {
        cameras.nudge(dx / picture.grip, dy / picture.grip);
        // What was under the pointer turns away from it.
        stage.pointer.leave();
        this.moved();
      },
      zoom: (factor) => {
        cameras.nudge(0, 0, factor);
        this.moved();
      },
      hover: (x, y) => stage.pointer.move(x, y),
      leave: () => stage.pointer.leave(),
      click: (x, y) => stage.pointer.click(x, y, performance.now()),
      outline: (x, y, phase, tool) => stage.pointer.outline(x, y, phase, tool),
      onSphere: (x, y) => picture.onSphere(x, y),
      key: (key) => this.key(key),
    };
  }

  /**
   * The panel under the hand is the one that keys and menus mean, where cameras are free. @param {number} x
   * @param {number} y
   */
  touch(x, y) {
    const { picture, cameras } = this.stage,
      run = picture.at(x, y)?.run;
    if (!run || cameras.touched === run.id) return;
    cameras.touched = run.id;
    if (cameras.free) this.stage.scheduleTexts();
  }

  moved() {
    this.stage.facts.camera = { ...this.stage.picture.camera.pose };
    this.stage.loop.invalidate();
  }

  /** @param {string} key @returns {boolean} whether it meant something */
  key(key) {
    const { stage } = this,
      { timeline, cameras } = stage;
    const to = poseOfKey(key, cameras.active.goal);
    if (to) this.fly(to, key === "Home" ? MOVE_MS : KEY_MS);
    else if (key === " ") timeline.togglePlay();
    else if (key === ",") timeline.walk(-1);
    else if (key === ".") timeline.walk(1);
    else if (key === "[") timeline.jump(-1);
    else if (key === "]") timeline.jump(1);
    else if (key === "k") this.keepMoment();
    else if (key === "f") this.fillScreen();
    else if (key === "Escape") this.escape();
    else if (cameras.free && /^[1-9]$/.test(key)) this.touchPanel(Number(key) - 1);
    else return false;
    return true;
  }

  /** @param {number} index of a panel on screen */
  touchPanel(index) {
    const { cameras } = this.stage;
    cameras.touched = cameras.panels[index] ?? cameras.touched;
    this.stage.writeTexts();
  }

  /** One step back: out of a pinned sample, then a selection, then the panel shown alone. */
  escape() {
    const { pointer, picture } = this.stage;
    if (pointer.pin) pointer.release();
    else if (picture.selected) this.select(null);
    else this.showAlone(null);
  }

  /**
   * @param {Partial<import("../common/types.js").Pose>} to @param {number} [ms]
   * @param {import("../scene/camera.js").Camera} [camera]
   */
  fly(to, ms, camera) {
    this.stage.cameras.fly(to, ms, camera);
    this.stage.loop.invalidate();
  }

  /** @param {"home"|"top"|"front"|number} where a number: along the centre of that class */
  lookAt(where) {
    if (where === "home") return this.fly(HOME);
    if (where === "top") return this.fly({ yaw: 0, pitch: Math.PI / 2 });
    if (where === "front") return this.fly({ yaw: 0, pitch: 0 });
    this.flyEach((run) => run.frame?.header.centres[where]);
  }

  /** Every camera goes to see a place: a shared one sees it as it is in the first panel that has it.
   * @param {(run: import("../incoming/runs.js").Run) => ArrayLike<number>|null|undefined} place in a panel */
  flyEach(place) {
    const { cameras, picture } = this.stage;
    if (!cameras.free) {
      const first = picture.shown.map(place).find(Boolean);
      if (first) this.fly(poseToward(first));
      return;
    }
    for (const run of picture.shown) {
      const at = place(run);
      if (at) this.fly(poseToward(at), MOVE_MS, cameras.of(run.id));
    }
  }

  /** @param {string} text of the search box @returns {string} a sentence where nothing was found, else "" */
  find(text) {
    const { stage } = this,
      { picture, pointer, words } = stage;
    const info = stage.shown.find((run) => run.info)?.info,
      names = info?.header.class_names ?? [];
    const meant = interpret(text, names);
    picture.chosen = meant.kind === "class" ? new Set([meant.rank]) : null;
    if (meant.kind === "class") this.lookAt(meant.rank);
    if (meant.kind === "sample") {
      const found = pointer.pinSample(meant.id);
      if (!found) return fill(words.noSample, { id: meant.id, count: info?.labels.length ?? 0 });
      this.flyEach((run) => {
        const index = run.indexOf(meant.id);
        return index !== null && run.frame && index < run.frame.header.n ? run.pointAt(index, 1) : null;
      });
    }
    stage.changed();
    return meant.kind === "unknown" ? fill(words.noSuch, { text: meant.text }) : "";
  }

  /** @param {string|null} id of a run or a moment */
  showAlone(id) {
    this.stage.picture.solo = id;
    this.stage.layout();
  }

  /** @param {Set<number>|null} ids of samples */
  select(ids) {
    const { stage } = this;
    stage.picture.selected = ids;
    stage.picture.dressed.clear();
    stage.parts.selection.write(ids, stage.shown);
    stage.changed();
  }

  /** @param {Tool} tool */
  setTool(tool) {
    this.tool = tool;
    this.stage.canvas.dataset.tool = tool;
  }

  /** The whole stage takes the screen, or gives it back. */
  fillScreen() {
    const { root, parts, words } = this.stage;
    const asked = root.matches(":fullscreen") ? document.exitFullscreen() : root.requestFullscreen();
    asked.catch(() => parts.notify(words.noFullscreen));
  }

  /** Freezes what the panels on screen show. */
  keepMoment() {
    const { stage } = this,
      live = stage.shown,
      seen = live.filter((run) => stage.picture.shown.includes(run));
    if (!stage.moments.keep(seen.length ? seen : live, live.length)) this.sayFull();
  }

  /** @param {import("../incoming/moments.js").Wish[]} wishes of the address */
  keepAsked(wishes) {
    if (!this.stage.moments.ask(wishes, this.stage.data.runs.length)) this.sayFull();
  }

  sayFull() {
    this.stage.parts.notify(fill(this.stage.words.noRoom, { most: MOST_PANELS }));
  }

  /** @param {(stage: import("../view.js").StageView) => Promise<void>|void} save one of the exports */
  async save(save) {
    try {
      await save(this.stage);
    } catch (error) {
      this.stage.parts.notify(
        fill(this.stage.words.notSaved, { reason: error instanceof Error ? error.message : String(error) }),
      );
    }
    this.stage.loop.invalidate();
  }
}
