/** Turns what a person does to a stage, with the pointer, the keys and the menus, into choices and requests. */
import { HOME, MOVE_MS, poseOfKey, poseToward } from "../scene/camera.js";
import { isAbsent } from "../scene/attributes.js";
import { MOST_PANELS } from "../incoming/moments.js";
import { tell } from "../common/signals.js";
import { findSamples } from "../scene/known.js";
import { interpret } from "./search.js";
import { fill, words } from "../words.js";

/** @typedef {import("./gestures.js").Tool} Tool */

const KEY_MS = 140;
/** Letters of what was looked for and not found. */
const MOST_SAID = 40;

/** The control that a key stands for, which a link may have taken away. @param {string} key */
function controlOfKey(key) {
  if (poseOfKey(key, HOME)) return "turn";
  if ([" ", ",", ".", "[", "]"].includes(key)) return "time";
  return key === "k" ? "keep" : key === "f" ? "fullscreen" : null;
}

export class Controller {
  /** @param {import("../assembly.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {Tool} what a drag does */
    this.tool = "turn";
  }

  /** What the menus, the timeline and the panels ask for. @returns {import("../parts.js").Acts} */
  acts() {
    const { stage } = this;
    const { choices, cameras, moments } = stage;
    return {
      request: (request) => stage.socket.send(request),
      // A browser takes a few hundred new addresses a minute, and a hand on the slider would ask for thousands.
      timeChanged: () => {
        stage.parts.writeNow(stage.shown);
        if (!stage.timeline.dragging) stage.mirror();
      },
      showAlone: (id) => choices.set({ solo: choices.now.solo === id ? null : id }),
      onLook: (where) => this.lookAt(where),
      onFind: (text) => this.find(text),
      onFree: (free) => cameras.setFree(free),
      onTool: (tool) => this.setTool(tool),
      onFill: () => this.fillScreen(),
      onKeep: () => this.keepMoment(),
      onRelease: (id) => moments.drop(id),
      onCard: (id) => stage.askCard(id),
      onSave: (save) => this.save(save),
    };
  }

  /** @returns {import("./gestures.js").Gestures} */
  gestures() {
    const { picture, cameras, pointer } = this.stage;
    const turns = () => !this.stage.parts.reduced.holds("turn");
    return {
      tool: () => this.tool,
      grab: (x, y) => this.touch(x, y),
      turn: (dx, dy) => {
        if (!turns()) return;
        cameras.nudge(dx / picture.grip, dy / picture.grip);
        // What was under the pointer turns away from it.
        pointer.leave();
      },
      zoom: (factor) => turns() && cameras.nudge(0, 0, factor),
      hover: (x, y) => pointer.move(x, y),
      leave: () => pointer.leave(),
      click: (x, y) => (this.stage.data.pointing ? this.pointAt(x, y) : pointer.click(x, y, performance.now())),
      outline: (x, y, phase, tool) => pointer.outline(x, y, phase, tool),
      onSphere: (x, y) => picture.onSphere(x, y),
      key: (key) => this.key(key),
    };
  }

  /**
   * The panel under the pointer is the one that keys and menus mean, where cameras are free. @param {number} x
   * @param {number} y
   */
  touch(x, y) {
    const { picture, choices } = this.stage;
    const run = picture.at(x, y)?.run;
    if (run) choices.set({ touched: run.id });
  }

  /** A lesson asks for a class, and a hand points at one. @param {number} x @param {number} y */
  pointAt(x, y) {
    const found = this.stage.pointer.classAt(x, y, performance.now());
    if (!found) return;
    this.stage.choices.set({ chosen: new Set([found.rank]) });
    tell("pointed", found);
  }

  /** @param {string} key @returns {boolean} whether it meant something */
  key(key) {
    const { timeline, cameras, choices, parts } = this.stage;
    const control = controlOfKey(key);
    if (control !== null && parts.reduced.holds(control)) return false;
    const to = poseOfKey(key, cameras.active.goal);
    if (to) cameras.fly(to, key === "Home" ? MOVE_MS : KEY_MS);
    else if (key === " ") timeline.togglePlay();
    else if (key === ",") timeline.walk(-1);
    else if (key === ".") timeline.walk(1);
    else if (key === "[") timeline.jump(-1);
    else if (key === "]") timeline.jump(1);
    else if (key === "k") this.keepMoment();
    else if (key === "f") this.fillScreen();
    else if (key === "Escape") this.escape();
    else if (choices.now.free && /^[1-9]$/.test(key)) this.touchPanel(Number(key) - 1);
    else return false;
    return true;
  }

  /** @param {number} index of a panel on screen */
  touchPanel(index) {
    const { cameras, choices } = this.stage;
    choices.set({ touched: cameras.panels[index] ?? choices.now.touched });
  }

  /** One step back: out of a pinned sample, then a selection, then the panel shown alone. */
  escape() {
    const { pointer, choices } = this.stage;
    if (pointer.pin) pointer.release();
    else if (choices.now.selected) choices.set({ selected: null });
    else choices.set({ solo: null });
  }

  /** @param {"home"|"top"|"front"|number} where a number: along the centre of that class */
  lookAt(where) {
    const { cameras } = this.stage;
    if (where === "home") return cameras.fly(HOME);
    if (where === "top") return cameras.fly({ yaw: 0, pitch: Math.PI / 2 });
    if (where === "front") return cameras.fly({ yaw: 0, pitch: 0 });
    this.flyEach((run) => run.frame?.header.centres[where]);
  }

  /**
   * Every camera goes to see a place: a shared one sees it as it is in the first panel that has it.
   * @param {(run: import("../incoming/runs.js").Run) => ArrayLike<number>|null|undefined} place in a panel
   */
  flyEach(place) {
    const { cameras, picture, choices } = this.stage;
    if (!choices.now.free) {
      const first = picture.shown.map(place).find(Boolean);
      if (first) cameras.fly(poseToward(first));
      return;
    }
    for (const run of picture.shown) {
      const at = place(run);
      if (at) cameras.fly(poseToward(at), MOVE_MS, cameras.of(run.id));
    }
  }

  /** @param {string} text of the search box @returns {string} a sentence where nothing was found, else "" */
  find(text) {
    const { shown, choices, pointer } = this.stage;
    const info = shown.find((run) => run.info)?.info;
    const meant = interpret(text, info?.header.class_names ?? []);
    choices.set({ chosen: meant.kind === "class" ? new Set([meant.rank]) : null });
    if (meant.kind === "class") this.lookAt(meant.rank);
    if (meant.kind === "unknown") return this.findKnown(meant.text);
    if (meant.kind === "sample") {
      const found = pointer.pinSample(meant.id);
      if (!found) return fill(words.noSample, { id: meant.id, count: info?.labels.length ?? 0 });
      this.flyEach((run) => {
        const index = run.indexOf(meant.id);
        const there = index !== null && run.frame && index < run.frame.header.n && !isAbsent(run.frame, index);
        return there ? run.pointAt(index, 1) : null;
      });
    }
    return "";
  }

  /** Puts the samples in focus of which an attribute says this. @param {string} text @returns {string} as in `find` */
  findKnown(text) {
    const { shown, choices, pointer } = this.stage;
    const ids = shown.flatMap(({ info }) => {
      const found = info ? findSamples(info, text) : [];
      return found.map((i) => info?.ids?.[i] ?? i);
    });
    if (!ids.length) return fill(words.noSuch, { text: text.slice(0, MOST_SAID) });
    choices.set({ selected: new Set(ids) });
    if (new Set(ids).size === 1) pointer.pinSample(ids[0]);
    return "";
  }

  /** @param {Tool} tool */
  setTool(tool) {
    this.tool = tool;
    this.stage.canvas.dataset.tool = tool;
  }

  /** The whole stage takes the screen, or gives it back. */
  fillScreen() {
    const { root, parts } = this.stage;
    const asked = root.matches(":fullscreen") ? document.exitFullscreen() : root.requestFullscreen();
    asked.catch(() => parts.notify(words.noFullscreen));
  }

  /** Freezes what the panels on screen show. */
  keepMoment() {
    const { shown, moments, picture } = this.stage;
    const seen = shown.filter((run) => picture.shown.includes(run));
    if (!moments.keep(seen.length ? seen : shown, shown.length)) this.sayFull();
  }

  /** @param {import("../incoming/moments.js").Wish[]} wishes of the address */
  keepAsked(wishes) {
    if (!this.stage.moments.ask(wishes, this.stage.data.runs.length)) this.sayFull();
  }

  sayFull() {
    this.stage.parts.notify(fill(words.noRoom, { most: MOST_PANELS }));
  }

  /** @param {(stage: import("../assembly.js").Stage) => Promise<void>|void} save one of the exports */
  async save(save) {
    const { parts, loop } = this.stage;
    try {
      await save(this.stage);
    } catch (error) {
      parts.notify(fill(words.notSaved, { reason: error instanceof Error ? error.message : String(error) }));
    }
    loop.invalidate();
  }
}
