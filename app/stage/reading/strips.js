/** A strip of readings under each panel: what the method knows of each class, as bars from head to tail. */
import { classAt, formatReading, layBars, widen } from "./bars.js";
import { toHex } from "../scene/colours.js";
import { forceReading } from "../scene/forces.js";
import { icon, make, setText } from "../common/dom.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../common/types.js").PanelRect} PanelRect */
/** @typedef {import("../common/types.js").Reading} Reading */

/** Room that a strip takes under a panel, CSS pixels. */
export const STRIP = 46;
const BARS = 22,
  INFO = "M8 2.5a5.5 5.5 0 1 0 .01 0zM8 7.4v3.4M8 5.2v.1";

class Strip {
  /** @param {import("./tips.js").Tips} tips */
  constructor(tips) {
    this.choice = make("select", "ltv-select", { "aria-label": "Reading", hidden: "" });
    this.title = make("span", "ltv-quiet");
    this.info = make("span", "ltv-quiet", { role: "note" }, icon(INFO));
    this.value = make("output", "");
    this.canvas = make("canvas", "", { role: "img" });
    this.head = make("div", "ltv-strip-head", {}, this.choice, this.title, this.info, this.value);
    this.root = make("section", "ltv-strip", { "data-testid": "ltviz-strip" }, this.head, this.canvas);
    /** @type {Run|null} */
    this.run = null;
    /** @type {Map<string, string>} key chosen for each run */
    this.chosen = new Map();
    /** @type {Map<string, import("./bars.js").Range>} by run and key */
    this.ranges = new Map();
    /** @type {ReturnType<typeof forceReading>} */
    this.force = null;
    /** @type {number|null} class under the pointer */
    this.at = null;
    this.drawn = "";
    this.choice.addEventListener("change", () => {
      if (this.run) this.chosen.set(this.run.id, this.choice.value);
      this.write();
    });
    for (const element of [this.title, this.info])
      tips.explain(element, () => [this.reading?.title ?? "", this.reading?.short ?? ""]);
    this.canvas.addEventListener("pointermove", (event) => this.point(event.offsetX / this.canvas.clientWidth || 0));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
  }

  /** @returns {Reading[]} */
  get readings() {
    const own = this.run?.info?.header.readings ?? [];
    return this.force ? [...own, this.force.reading] : own;
  }

  get reading() {
    const { readings } = this,
      key = this.run && this.chosen.get(this.run.id);
    return readings.find((reading) => reading.key === key) ?? readings[0];
  }

  /** @param {number|null} share of the width */
  point(share) {
    this.at = share === null ? null : classAt(share, this.run?.numClasses ?? 0);
    this.write();
  }

  write() {
    const { run } = this;
    this.force = run && forceReading(run);
    const { readings, reading, force } = this;
    const values =
      (reading && (reading === force?.reading ? force.values : run?.frame?.header.readings?.[reading.key])) ?? [];
    this.root.classList.toggle("ltv-bare", !reading);
    if (!run || !reading) return;
    this.writeChoice(readings, reading);
    const key = `${run.id} ${reading.key}`,
      range = widen(values, this.ranges.get(key)),
      byClass = values.length === run.numClasses && values.length > 1;
    this.ranges.set(key, range);
    const names = run.info?.header.class_names ?? [],
      { at } = this;
    const most = `${range.low < 0 ? `${formatReading(range.low, "")} to ` : "up to "}${formatReading(range.high, reading.unit)}`;
    setText(
      this.value,
      !values.length
        ? ""
        : !byClass
          ? formatReading(values[0], reading.unit)
          : at !== null
            ? `${names[at]}: ${formatReading(values[at], reading.unit)}`
            : most,
    );
    this.canvas.hidden = !byClass;
    this.root.classList.toggle("ltv-scalar", !byClass);
    if (!byClass) return;
    this.canvas.setAttribute(
      "aria-label",
      `${reading.title} by class, head to tail: ${values
        .slice(0, 20)
        .map((v, c) => `${names[c]} ${formatReading(v, reading.unit)}`)
        .join(", ")}`,
    );
    this.draw(values, range, run);
  }

  /** @param {Reading[]} readings @param {Reading} reading */
  writeChoice(readings, reading) {
    const several = readings.length > 1,
      key = JSON.stringify(readings.map((r) => [r.key, r.title]));
    this.choice.hidden = !several;
    this.info.hidden = !several;
    this.title.hidden = several;
    setText(this.title, reading.title);
    if (several && this.choice.dataset.key !== key) {
      this.choice.dataset.key = key;
      this.choice.replaceChildren(...readings.map((r) => make("option", "", { value: r.key }, r.title)));
    }
    if (several && this.choice.value !== reading.key) this.choice.value = reading.key;
  }

  /** @param {(number|null)[]} values @param {import("./bars.js").Range} range @param {Run} run */
  draw(values, range, run) {
    const { canvas } = this,
      w = this.root.clientWidth,
      ratio = window.devicePixelRatio || 1;
    const pen = canvas.getContext("2d");
    if (!pen || !w) return;
    if (canvas.width !== Math.round(w * ratio)) canvas.width = Math.round(w * ratio);
    if (canvas.height !== Math.round(BARS * ratio)) canvas.height = Math.round(BARS * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, w, BARS);
    for (const { c, x, y, w: width, h } of layBars(values, range, { w, h: BARS })) {
      pen.globalAlpha = this.at === null || this.at === c ? 1 : 0.35;
      pen.fillStyle = run.colours[c] ? toHex(run.colours[c]) : "#888888";
      pen.fillRect(x, y, width, h);
    }
  }
}

export class Strips {
  /** @param {HTMLElement} host the stage @param {import("./tips.js").Tips} tips */
  constructor(host, tips) {
    this.host = host;
    this.tips = tips;
    /** @type {Strip[]} */
    this.strips = [];
  }

  /** @param {Run[]} runs those on screen @param {PanelRect[]} rects @param {boolean} on */
  write(runs, rects, on) {
    const shown = on ? Math.min(runs.length, rects.length) : 0;
    this.host.toggleAttribute("data-strips", shown > 0);
    while (this.strips.length < shown) {
      const strip = new Strip(this.tips);
      this.strips.push(strip);
      this.host.append(strip.root);
    }
    while (this.strips.length > shown) this.strips.pop()?.root.remove();
    this.strips.forEach((strip, i) => {
      const { frame } = rects[i],
        width = Math.min(frame.w - 16, 320);
      strip.root.style.transform = `translate(${Math.round(frame.x + (frame.w - width) / 2)}px, ${frame.y + frame.h - STRIP}px)`;
      strip.root.style.width = `${width}px`;
      strip.run = runs[i];
      strip.write();
    });
  }
}
