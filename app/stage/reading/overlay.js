/** What is written over the picture: titles, states, numbers, names of classes. */
import { toHex, readable } from "../common/colours.js";
import { make, setAttribute, setText, icon } from "../common/dom.js";
import { returnFocusTo } from "../common/focus.js";
import { placeLabels, shorten } from "./labels.js";
import { HonestyMeter } from "./honesty.js";
import { Moment } from "../incoming/moments.js";
import { formatMeasure, tellMeasure, valueOf } from "../common/numbers.js";
import { fill, words } from "../words.js";

/** States of a run that shows nothing more, and why. */
const BROKEN = new Set(["failed", "lost", "unreadable"]);

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../scene/panels.js").PanelRect} PanelRect */

/** Numbers under a sphere: there is room for so many. */
const NUMBERS_SHOWN = 2;
const TEXT_CONTRAST = 4.5;
const EXPAND = "M6 2.5H2.5V6M10 2.5h3.5V6M6 13.5H2.5V10M10 13.5h3.5V10",
  CLOSE = "m4 4 8 8M12 4l-8 8",
  ABOUT = "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 7.4v3.4M8 5v.1";

/** @typedef {{showAlone: (id: string) => void, onRelease: (id: string) => void, onCard: (id: string) => void}} PanelActs */

/** One panel's texts. */
class PanelText {
  /** @param {PanelActs} acts @param {import("./tips.js").Tips} tips */
  constructor(acts, tips) {
    this.dot = make("span", "ltv-dot");
    this.name = make("span", "ltv-name");
    this.state = make("span", "ltv-state");
    this.meter = new HonestyMeter(tips);
    this.about = make("button", "ltv-icon ltv-about", { type: "button", hidden: "" }, icon(ABOUT));
    this.about.addEventListener("click", () => {
      returnFocusTo(this.about);
      acts.onCard(this.id);
    });
    this.expand = make("button", "ltv-icon ltv-expand", { type: "button" });
    this.expand.append(icon(EXPAND));
    this.expand.addEventListener("click", () => acts.showAlone(this.id));
    this.close = make(
      "button",
      "ltv-icon ltv-close",
      { type: "button", "aria-label": words.release, title: words.release, hidden: "" },
      icon(CLOSE),
    );
    this.close.addEventListener("click", () => acts.onRelease(this.id));
    this.note = make("div", "ltv-note", { hidden: "" });
    this.noteTitle = make("strong", "");
    this.noteText = make("span", "");
    this.note.append(this.noteTitle, this.noteText);
    this.numbers = make("div", "ltv-numbers");
    this.root = make(
      "section",
      "ltv-panel",
      {},
      make("header", "ltv-head", {}, this.dot, this.name, this.state, this.about, this.expand, this.close),
      this.meter.root,
      this.meter.pending,
      this.note,
      this.numbers,
    );
    this.id = "";
    /** @type {HTMLElement[]} */
    this.labels = [];
    /** @type {number[]} */
    this.slots = [];
  }
}

export class Overlay {
  /**
   * @param {HTMLElement} host @param {PanelActs} acts
   * @param {import("./tips.js").Tips} tips
   */
  constructor(host, acts, tips) {
    this.host = host;
    this.acts = acts;
    this.tips = tips;
    /** @type {PanelText[]} */
    this.panels = [];
  }

  /** @param {PanelRect[]} rects one for each run shown @param {boolean} solo */
  place(rects, solo) {
    while (this.panels.length < rects.length) {
      const panel = new PanelText(this.acts, this.tips);
      this.panels.push(panel);
      this.host.append(panel.root);
    }
    while (this.panels.length > rects.length) this.panels.pop()?.root.remove();
    rects.forEach(({ whole }, i) => {
      const { style } = this.panels[i].root;
      style.transform = `translate(${whole.x}px, ${whole.y}px)`;
      style.width = `${whole.w}px`;
      style.height = `${whole.h}px`;
      setAttribute(this.panels[i].expand, "aria-label", solo ? words.showAll : words.showAlone);
      setAttribute(
        this.panels[i].expand,
        "title",
        solo ? fill(words.byKey, { name: words.showAll, key: "Esc" }) : words.showAlone,
      );
    });
  }

  /**
   * Titles, states and numbers. @param {Run[]} runs @param {import("../common/types.js").StageData} data
   * @param {import("../common/colours.js").Rgb} page
   * @param {string|null} focus the panel that keys mean, where each has its own camera */
  write(runs, data, page, focus) {
    runs.forEach((run, i) => {
      const panel = this.panels[i],
        header = run.info?.header;
      if (!panel) return;
      panel.id = run.id;
      setText(panel.name, run.title);
      setAttribute(panel.name, "title", run.id);
      panel.dot.style.background = header?.colour ?? "var(--ltv-line)";
      const { text, kind } = this.describe(run);
      setText(panel.state, text);
      setAttribute(panel.state, "data-state", kind);
      this.writeNote(panel, run);
      setAttribute(panel.root, "data-focus", run.id === focus ? "true" : null);
      panel.close.hidden = !(run instanceof Moment);
      panel.about.hidden = !data.cards || !header?.method || run instanceof Moment;
      setAttribute(panel.about, "aria-label", fill(words.about, { title: run.title }));
      setAttribute(panel.about, "title", fill(words.about, { title: run.title }));
      panel.meter.write(run.frame?.header.projection ?? null, data.projections ?? []);
      this.writeNumbers(panel, run, data.panel ?? []);
      this.colourLabels(panel, run, page);
    });
  }

  /** @param {Run} run */
  describe(run) {
    const at = (/** @type {number} */ step) => fill(words.atStep, { step });
    const step = run.frame ? at(run.frame.header.step) : "";
    if (run instanceof Moment) return { text: step || at(run.asked), kind: "kept" };
    if (run.state === "running" || run.state === "stopping") return { text: step || words.starting, kind: "live" };
    if (BROKEN.has(run.state)) return { text: run.state, kind: "failed" };
    if (run.state === "finished") return { text: step, kind: "finished" };
    const { state } = run;
    const text = run.frame ? fill(words.stateAtStep, { state, step: run.frame.header.step }) : state;
    return { text, kind: state };
  }

  /** @param {PanelText} panel @param {Run} run */
  writeNote(panel, run) {
    const broken = BROKEN.has(run.state);
    const waiting = !run.frame && !broken;
    panel.note.hidden = !broken && !waiting;
    setAttribute(panel.note, "data-kind", broken ? "failed" : "waiting");
    setAttribute(panel.note, "data-over", run.frame ? "picture" : "nothing");
    setText(
      panel.noteTitle,
      waiting ? words.waiting : broken ? words[/** @type {"failed" | "lost" | "unreadable"} */ (run.state)] : "",
    );
    // Of a folder that cannot be read nobody knows how training went.
    const next = { failed: words.failedNext, lost: words.lostNext }[run.state] ?? "";
    setText(panel.noteText, broken ? [run.reason, next].filter(Boolean).join(" ") : "");
  }

  /** @param {PanelText} panel @param {Run} run @param {import("../common/types.js").Measure[]} measures in their order */
  writeNumbers(panel, run, measures) {
    const metrics = run.frame?.header.metrics ?? {};
    const known = measures.filter((measure) => valueOf(metrics, measure) !== undefined).slice(0, NUMBERS_SHOWN);
    while (panel.numbers.children.length > known.length) panel.numbers.lastChild?.remove();
    known.forEach((measure, i) => {
      const { key, name, title, unit, short } = measure;
      let item = panel.numbers.children[i];
      if (!item) {
        item = make("span", "ltv-number", {}, make("span", "ltv-quiet"), make("b", ""));
        panel.numbers.append(item);
      }
      setText(item.children[0], name ?? title);
      setText(item.children[1], formatMeasure(metrics[key], unit));
      setAttribute(item, "title", `${title}: ${tellMeasure(metrics, measure, 4)}\n${short}`);
    });
  }

  /** @param {PanelText} panel @param {Run} run @param {import("../common/colours.js").Rgb} page */
  colourLabels(panel, run, page) {
    const names = run.info?.header.class_names ?? [];
    while (panel.labels.length < names.length) {
      const label = make("span", "ltv-label", { "aria-hidden": "true" });
      panel.labels.push(label);
      panel.slots.push(-1);
      panel.root.append(label);
    }
    while (panel.labels.length > names.length) panel.labels.pop()?.remove();
    panel.labels.forEach((label, c) => {
      setText(label, shorten(names[c], 14));
      const rgb = run.colours[c];
      const colour = rgb ? toHex(readable(rgb, page, TEXT_CONTRAST)) : "";
      if (label.dataset.colour !== colour) {
        label.dataset.colour = colour;
        label.style.color = colour;
      }
    });
  }

  /**
   * Moves the names of classes to where their centres are now.
   * @param {number} index of the panel @param {(import("../common/types.js").Vec3|null)[]} centres empty: hide all
   * @param {PanelRect} rect @param {import("../scene/picking.js").Placer} place @param {number} distance
   * @param {ReadonlySet<number>|null} chosen
   */
  moveLabels(index, centres, rect, place, distance, chosen) {
    const panel = this.panels[index];
    if (!panel) return;
    const { sphere, whole } = rect,
      scale = Math.min(sphere.w, sphere.h) / 300;
    const seen = centres.flatMap((m, c) => {
      if (!m || !panel.labels[c] || (chosen && !chosen.has(c))) return [];
      const [x, y, w] = place(m);
      return [{ c, x, y, w, text: panel.labels[c].textContent ?? "", offset: panel.slots[c] }];
    });
    const most = Math.max(6, Math.floor((sphere.w * sphere.h) / 3600));
    const kept = seen.length > most ? [...seen].sort((a, b) => a.w - b.w).slice(0, most) : seen;
    const places = placeLabels(kept, sphere, 5 + 4.5 * Math.min(1.6, scale));
    /** @type {Set<number>} */
    const shown = new Set();
    kept.forEach(({ c, w }, i) => {
      const spot = places[i],
        label = panel.labels[c];
      if (!spot) return;
      shown.add(c);
      panel.slots[c] = spot.slot;
      const [x, y] = [sphere.x - whole.x + spot.x, sphere.y - whole.y + spot.y].map((v) => v.toFixed(1));
      label.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
      const faint = w > distance ? "0.4" : "1";
      if (label.style.opacity !== faint) label.style.opacity = faint;
    });
    panel.labels.forEach((label, c) => {
      if (label.hidden === shown.has(c)) label.hidden = !shown.has(c);
    });
  }

  /**
   * The sentence that no simplex fits, once for all runs it is true of. @param {Run[]} runs
   * @returns {string} "" where one fits
   */
  simplexNote(runs) {
    const header = runs.find((run) => !run.fitsSimplex)?.info?.header;
    if (!header) return "";
    return fill(words.noSimplex, { classes: header.num_classes, need: header.num_classes - 1, dim: header.dim });
  }
}
