/**
 * One clock for all panels: a slider whose right end is live, play and pause, single steps, speed, marks of what
 * happened.
 */
import { icon, make, setAttribute, setText } from "../common/dom.js";
import { groupEvents, EVENT_SIGNS } from "./events.js";
import { LIVE_STATES } from "../incoming/runs.js";
import { alike } from "../scene/choices.js";
import { fill, words } from "../words.js";
import { beyond, nearest, unite, walk } from "../incoming/steps.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {"follow"|"play"|"hold"} Mode */

const SPEEDS = [0.25, 0.5, 1, 2, 4];
const PLAY = "M4.5 2.8v10.4L13 8z",
  PAUSE = "M5 3v10M11 3v10",
  BACK = "M10 3 5 8l5 5",
  ON = "m6 3 5 5-5 5";
const KEEP = "M4.5 2.5h7v11L8 10.8l-3.5 2.7z";

export class Timeline {
  /**
   * @param {(request: object) => void} send what the server is asked for
   * @param {() => void} onKeep the moment shown shall stay
   */
  constructor(send, onKeep) {
    this.send = send;
    /** @type {Mode} */
    this.mode = "follow";
    /** @type {number|null} step held, or null */
    this.held = null;
    this.speed = 1;
    /** @type {number[]} */
    this.steps = [];
    this.dragging = false;
    /** Somebody is still training: the right end moves. */
    this.live = false;
    this.shown = 0;
    /** @type {() => void} called when the mode or the held step changes */
    this.onChange = () => {};
    this.toggle = make("button", "ltv-icon ltv-play", { type: "button" });
    this.back = make(
      "button",
      "ltv-icon",
      { type: "button", "aria-label": words.frameBack, title: fill(words.byKey, { name: words.frameBack, key: "," }) },
      icon(BACK),
    );
    this.on = make(
      "button",
      "ltv-icon",
      { type: "button", "aria-label": words.frameOn, title: fill(words.byKey, { name: words.frameOn, key: "." }) },
      icon(ON),
    );
    this.slider = make("input", "ltv-slider", {
      type: "range",
      min: "0",
      max: "1",
      step: "1",
      value: "1",
      "aria-label": words.step,
      "data-testid": "ltviz-slider",
    });
    this.marks = make("div", "ltv-marks");
    /** @type {import("./events.js").Happening[]} */
    this.happenings = [];
    /** @type {[number, number]|null} first and last step, as the marks were laid out */
    this.laid = null;
    this.legend = make("div", "ltv-marklegend", {
      "aria-label": words.eventsLegend,
      title: words.eventsKeys,
      hidden: "",
    });
    this.keep = make(
      "button",
      "ltv-plain ltv-keep",
      { type: "button", "aria-label": words.keep, title: words.keepHint },
      icon(KEEP),
      make("span", "", {}, words.keep),
    );
    this.follow = make("button", "ltv-follow", { type: "button" }, make("span", "ltv-pulse"), make("span", ""));
    this.rate = make("select", "ltv-select", { "aria-label": words.speed, title: words.speedHint });
    SPEEDS.forEach((s) => this.rate.append(make("option", "", { value: String(s) }, fill(words.times, { factor: s }))));
    this.rate.value = "1";
    this.label = make("output", "ltv-step", { "data-testid": "ltviz-step" });
    this.root = make(
      "div",
      "ltv-timeline",
      { role: "group", "aria-label": words.time },
      this.toggle,
      this.back,
      this.on,
      make("div", "ltv-track", {}, this.slider, this.marks),
      this.follow,
      this.rate,
      this.label,
      this.keep,
    );
    this.toggle.addEventListener("click", () => this.togglePlay());
    this.back.addEventListener("click", () => this.walk(-1));
    this.on.addEventListener("click", () => this.walk(1));
    this.follow.addEventListener("click", () => this.goLive());
    this.keep.addEventListener("click", onKeep);
    this.rate.addEventListener("change", () => this.setSpeed(Number(this.rate.value)));
    this.slider.addEventListener("input", () => this.scrub(Number(this.slider.value)));
    this.slider.addEventListener("keydown", (event) => this.key(event));
    for (const [type, down] of /** @type {[string, boolean][]} */ ([
      ["pointerdown", true],
      ["pointerup", false],
      ["pointercancel", false],
      ["change", false],
    ]))
      this.slider.addEventListener(type, () => this.drag(down));
    this.write();
  }

  /** A hand takes the slider, or lets go of it. @param {boolean} dragging */
  drag(dragging) {
    if (dragging === this.dragging) return;
    this.dragging = dragging;
    if (!dragging) this.onChange();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key === "[" || event.key === "]") this.jump(event.key === "]" ? 1 : -1);
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    this.walk(by);
  }

  togglePlay() {
    if (this.mode === "hold") {
      const last = this.steps[this.steps.length - 1] ?? 0,
        first = this.steps[0] ?? 0;
      const from = this.held !== null && this.held < last ? this.held : first;
      this.send({ play: true, from });
      this.enter("play", null);
    } else this.hold(this.shown);
  }

  goLive() {
    this.send({ live: true });
    this.enter("follow", null);
  }

  /** @param {number} by frames */
  walk(by) {
    const to = walk(this.steps, this.held ?? this.shown, by);
    if (to !== null) this.hold(to);
  }

  /** To the next mark, or the one before. @param {1|-1} by */
  jump(by) {
    const to = beyond(
      this.happenings.map(({ step }) => step),
      this.held ?? this.shown,
      by,
    );
    if (to !== null) this.hold(to);
  }

  /** @param {number} value where the slider was put */
  scrub(value) {
    const last = this.steps[this.steps.length - 1];
    if (last === undefined) return;
    const step = value >= last ? last : nearest(this.steps, value);
    if (step === last && this.live) this.goLive();
    else if (step !== null) this.hold(step);
  }

  /** @param {number} step */
  hold(step) {
    if (this.mode === "hold" && this.held === step) return;
    this.send({ step });
    this.enter("hold", step);
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.speed = speed;
    this.send({ speed });
  }

  /** The step that is held, null while it follows or plays. */
  get holding() {
    return this.mode === "hold" ? this.held : null;
  }

  /** @param {Mode} mode @param {number|null} held */
  enter(mode, held) {
    this.mode = mode;
    this.held = held;
    this.write();
    this.onChange();
  }

  /**
   * The server's clock: where it stands, unless a hand is on the slider.
   * @param {import("../common/types.js").ClockHeader} clock
   */
  setClock(clock) {
    if (clock.speed && this.rate.value !== String(clock.speed)) {
      this.speed = clock.speed;
      this.rate.value = String(clock.speed);
    }
    if (this.dragging) return;
    const held = clock.mode === "hold" ? (clock.at ?? this.held) : null;
    if (clock.mode !== this.mode || held !== this.held) this.enter(clock.mode, held);
  }

  /** @param {Run[]} runs @param {import("../incoming/moments.js").Wish[]} kept moments */
  setRuns(runs, kept) {
    this.steps = unite(runs.map((run) => run.steps));
    this.live = runs.some((run) => LIVE_STATES.includes(run.state));
    const first = this.steps[0] ?? 0,
      last = this.steps[this.steps.length - 1] ?? 1;
    setAttribute(this.slider, "min", String(first));
    setAttribute(this.slider, "max", String(Math.max(last, first + 1)));
    this.slider.disabled = this.steps.length < 2;
    this.writeMarks(groupEvents(runs, kept), first, Math.max(last, first + 1));
    this.write();
  }

  /** @param {import("./events.js").Happening[]} happenings @param {number} first @param {number} last */
  writeMarks(happenings, first, last) {
    if (alike([first, last], this.laid) && alike(happenings, this.happenings)) return;
    this.laid = [first, last];
    this.happenings = happenings;
    this.marks.replaceChildren(
      ...happenings.map(({ step, kind, lines }) => {
        // Not among the stops of the tab key: there may be hundreds, and [ and ] walk through them.
        const said = { title: lines.join("\n"), "aria-label": fill(words.eventAt, { step, what: words.events[kind] }) };
        const given = { type: "button", tabindex: "-1", "data-kind": kind, ...said };
        const mark = make("button", "ltv-mark", given, signOf(kind));
        mark.style.left = `${(100 * (step - first)) / (last - first)}%`;
        mark.addEventListener("click", () => this.hold(step));
        return mark;
      }),
    );
    const kinds = /** @type {import("./events.js").EventKind[]} */ (Object.keys(EVENT_SIGNS)).filter((kind) =>
      happenings.some((happening) => happening.kind === kind),
    );
    this.legend.hidden = !kinds.length;
    this.legend.replaceChildren(
      ...kinds.map((kind) => make("span", "ltv-sign", { "data-kind": kind }, signOf(kind), words.events[kind])),
    );
  }

  /** @param {number} step the newest step on screen */
  setShown(step) {
    this.shown = step;
    this.write();
  }

  write() {
    const { mode, steps } = this,
      moving = mode !== "hold";
    if (this.toggle.dataset.moving !== String(moving)) {
      this.toggle.dataset.moving = String(moving);
      this.toggle.replaceChildren(icon(moving ? PAUSE : PLAY, "currentColor", !moving));
      setAttribute(this.toggle, "aria-label", moving ? words.pause : words.play);
      setAttribute(this.toggle, "title", fill(words.byKey, { name: moving ? words.pause : words.play, key: "space" }));
    }
    const step = this.held ?? this.shown,
      first = Number(this.slider.min),
      last = Number(this.slider.max);
    // Live, the thumb waits at the right end, wherever the newest frame is; a loop of finished runs moves it.
    const at = mode === "follow" && this.live ? last : step;
    if (!this.dragging && this.slider.value !== String(at)) this.slider.value = String(at);
    this.slider.style.setProperty("--ltv-done", `${last > first ? (100 * (at - first)) / (last - first) : 0}%`);
    setAttribute(this.follow, "aria-pressed", String(mode === "follow"));
    setAttribute(this.follow, "data-live", String(this.live));
    setText(this.follow.children[1], this.live ? words.live : words.follow);
    setAttribute(this.follow, "title", this.live ? words.liveHint : words.followHint);
    this.toggle.disabled = this.back.disabled = this.on.disabled = steps.length < 2;
    this.keep.disabled = !steps.length;
    setText(this.label, steps.length ? fill(words.atStep, { step }) : "");
  }
}

/** @param {import("./events.js").EventKind} kind */
const signOf = (kind) => icon(EVENT_SIGNS[kind].path, "currentColor", EVENT_SIGNS[kind].filled);
