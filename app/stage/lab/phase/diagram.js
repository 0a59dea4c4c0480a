/** The part of the lab that is a phase diagram: what it is of, the map, how far it is, and what can be taken away. */
import { mixRgb, parseCss, toHex } from "../../common/colours.js";
import { make, setAttribute, setText } from "../../common/dom.js";
import { download } from "../../common/files.js";
import { formatMeasure } from "../../common/numbers.js";
import { fill } from "../../words.js";
import { among, choice, logarithmic, slider } from "../fields.js";
import { labWords } from "../words.js";
import { Crew } from "./crew.js";
import { foundOf, keepFound } from "./found.js";
import { short } from "./around.js";
import { PhaseMap } from "./map.js";
import { pngOf, svgText } from "./picture.js";
import { BOUNDS, classesOf, FIRST, readPlane, rowsOf, settlePlane, writePlane } from "./plane.js";
import { settingsOf } from "./playing.js";
import { csvOf } from "./table.js";
import { Survey } from "./survey.js";

/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {import("./map.js").Place} Place */
/** @typedef {import("./around.js").Look} Look */
/**
 * @typedef {object} DiagramActs
 * @property {() => Worker} openWorker
 * @property {(patch: Partial<import("../settings.js").Settings>) => void} play
 */

const words = labWords.phase,
  PARAMETER = "phase",
  /** Milliseconds between two writes of what must outlive a reload. */
  KEEP = 2000,
  NARROWEST = 280,
  /** Ink in what is said quietly. */
  QUIET = 0.85;

export class PhaseDiagram {
  /** @param {DiagramActs} acts @param {boolean} addressed whether the page's address says what is shown */
  constructor(acts, addressed) {
    this.acts = acts;
    this.addressed = addressed;
    const asked = addressed ? new URLSearchParams(location.search).get(PARAMETER) : null;
    this.plane = asked === null ? settlePlane(FIRST) : readPlane(asked);
    this.found = foundOf(this.plane);
    this.crew = new Crew(acts.openWorker);
    this.survey = new Survey(this.crew, this.plane, this.found);
    /** @type {Look|null} */
    this.look = null;
    /** @type {Place|null} */
    this.seen = null;
    this.kept = 0;
    this.map = new PhaseMap({
      see: (place) => {
        this.seen = place;
        this.say();
      },
      play: (place) => void this.play(place),
      tell: (place) => this.tell(place),
    });
    this.fields = this.makeFields();
    this.begin = button(words.compute, "", () => this.run());
    this.stop = button(words.stop, words.stopHint, () => this.survey.stop());
    this.bar = make("progress", "ltl-progress", { "aria-label": words.progress });
    this.state = make("p", "ltl-note", { role: "status", "data-testid": "ltviz-phase-state" });
    this.said = make("p", "ltl-note ltl-said", { "data-testid": "ltviz-phase-cell" });
    this.saves = [
      button("SVG", words.saveSvg, () => this.save("svg")),
      button("PNG", words.savePng, () => this.save("png")),
      button("CSV", words.saveCsv, () => this.save("csv")),
    ];
    this.place = make("div", "ltl-phase-map", {}, this.map.root);
    this.root = this.lay(asked !== null);
  }

  /** @param {boolean} open */
  lay(open) {
    const root = make(
      "details",
      "ltl-playground ltl-phase",
      { "data-testid": "ltviz-phase", ...(open ? { open: "" } : {}) },
      make("summary", "", {}, words.title),
      make("p", "ltl-note", {}, words.lead),
      make(
        "div",
        "ltl-phase-body",
        {},
        make(
          "div",
          "ltl-phase-form",
          {},
          ...Object.values(this.fields).map(({ root }) => root),
          make("div", "ltl-phase-buttons", {}, this.begin, this.stop),
          this.bar,
          this.state,
          make("div", "ltl-phase-buttons", { role: "group", "aria-label": words.save }, ...this.saves),
        ),
        make("div", "ltl-phase-shown", {}, this.place, this.said),
      ),
    );
    root.addEventListener("toggle", () => this.toggled());
    return root;
  }

  makeFields() {
    const set = (/** @type {keyof Plane} */ name) => (/** @type {unknown} */ value) => this.change({ [name]: value });
    const whole = (/** @type {keyof typeof BOUNDS} */ name) => {
      const [low, high] = BOUNDS[name],
        values = Array.from({ length: high - low + 1 }, (_, i) => low + i);
      const [title, hint] = words.fields[name];
      return slider(title, hint, among(values, String), set(name), values.length - 1);
    };
    const choose = (/** @type {"loss"|"average"|"against"|"grid"} */ name) =>
      choice(words.fields[name][0], words.fields[name][1], Object.entries(words.values[name]), set(name));
    const [title, hint] = words.fields.temperature,
      [coldest, hottest] = BOUNDS.temperature;
    return {
      loss: choose("loss"),
      average: choose("average"),
      against: choose("against"),
      heads: whole("heads"),
      tails: whole("tails"),
      temperature: slider(
        title,
        hint,
        logarithmic(coldest, hottest, (value) => short(value)),
        (value) => this.change({ temperature: Number(value.toPrecision(2)) }),
      ),
      grid: choose("grid"),
    };
  }

  /** @param {Partial<Record<keyof Plane, unknown>>} patch */
  change(patch) {
    this.survey.stop();
    this.plane = settlePlane({ ...this.plane, ...patch });
    this.found = foundOf(this.plane);
    this.survey = new Survey(this.crew, this.plane, this.found);
    this.seen = null;
    this.toggled();
  }

  /** Open or closed, or of another plane: the border is cheap, and seen at once. */
  toggled() {
    const { open } = this.root;
    if (this.addressed) {
      const url = new URL(location.href);
      if (open) url.searchParams.set(PARAMETER, writePlane(this.plane));
      else url.searchParams.delete(PARAMETER);
      url.search = url.search.replace(/%2C/gi, ",");
      if (url.href !== location.href) history.replaceState(history.state, "", url.href);
    }
    if (!open) return;
    void this.survey.findBorders(() => {});
    this.show();
  }

  run() {
    void this.survey
      .run(() => {
        if (performance.now() - this.kept > KEEP) this.keep();
      })
      .then(() => {
        this.keep();
        this.show();
      });
    this.show();
  }

  keep() {
    this.kept = performance.now();
    keepFound();
  }

  /** A few times a second. @param {Pick<Look, "page"|"ink"|"line">} look */
  write({ page, ink, line }) {
    const quiet = toHex(mixRgb(page, parseCss(ink) ?? page, QUIET));
    this.look = { page, paper: toHex(page), ink, quiet, line };
    this.show();
  }

  show() {
    const { look, plane, found, map, survey } = this;
    if (!this.root.open || !look) return;
    for (const [name, field] of Object.entries(this.fields)) field.write(plane[/** @type {keyof Plane} */ (name)]);
    this.fields.average.root.hidden = this.fields.against.root.hidden = plane.loss === "ce";
    this.fields.temperature.root.hidden = plane.against !== "dim";
    const width = Math.floor(this.place.clientWidth);
    if (width >= NARROWEST) map.draw(plane, found, look, width, this.title);
    const { all, done, state } = survey,
      running = state === "running";
    this.begin.hidden = running || survey.finished;
    this.stop.hidden = !running;
    const asks = done === all ? words.findClosing : done ? words.goOn : words.compute;
    setText(this.begin, fill(asks, { n: all - done }));
    this.bar.hidden = !running;
    [this.bar.max, this.bar.value] = [all, done];
    setText(this.state, this.stateNow());
    setAttribute(this.state, "data-state", state);
    for (const save of this.saves) save.disabled = done === 0;
    this.say();
  }

  stateNow() {
    const { all, done, state, reason, lost } = this.survey,
      numbers = { all, done, reason, n: lost };
    if (state === "failed") return fill(lost ? words.lost : words.failed, numbers);
    if (state === "running") return fill(words.running, numbers);
    if (done === all) return fill(words.finished, numbers);
    return done ? fill(words.stopped, numbers) : words.empty;
  }

  get title() {
    const { loss, heads, tails, average, against, temperature } = this.plane,
      name = words.titles[loss];
    return [
      fill(words.classes, { name, heads, tails }),
      ...(loss === "ce" ? [] : [words.averages[average]]),
      ...(against === "dim" ? [fill(words.atTemperature, { temperature: short(temperature) })] : []),
    ];
  }

  /** @param {Place} place */
  tell({ row, ratio }) {
    const { plane, found } = this,
      cell = found.cell(row, ratio);
    const where = {
      ratio: short(ratio),
      row: fill(words.at[plane.against], { row: short(row) }),
    };
    if (!cell) return fill(words.notYet, where);
    const angle = formatMeasure(cell.angle, "°", 3);
    return fill(cell.angle <= 0.5 ? words.onePoint : words.apart, { ...where, angle });
  }

  /** What is under the pointer, and what theory says of its row. */
  say() {
    const place = this.seen ?? this.map.playing;
    if (!place) return setText(this.said, this.overall());
    const { plane, found } = this,
      border = found.borders.get(place.row),
      closing = found.closings.get(place.row);
    const theory =
      border === undefined
        ? ""
        : border === null
          ? fill(words.unknown, { dim: classesOf(plane) - 1 })
          : border === Infinity
            ? words.never
            : fill(words.beyond, { border: short(border, 4) });
    const runs = closing === undefined ? "" : fill(words.closes, { closing: short(closing, 4) });
    setText(this.said, [this.tell(place), theory, runs].filter(Boolean).join(" "));
  }

  /** Where no border is drawn, why. */
  overall() {
    const known = rowsOf(this.plane).map((row) => this.found.borders.get(row));
    if (!known.every((one) => one === Infinity || one === null)) return words.hover;
    return known.includes(Infinity) ? words.neverAtAll : words.hover;
  }

  /** @param {Place} place */
  async play(place) {
    const { plane, found } = this,
      { row, ratio } = place;
    // Its run tells with which decay the lab has the energy of the row.
    const cell = found.cell(row, ratio) ?? (await this.survey.want(row, ratio));
    if (plane !== this.plane || (!cell && plane.loss === "ce")) return this.show();
    this.map.playing = this.seen = place;
    this.acts.play(settingsOf(plane, row, ratio, cell?.decay ?? null));
    this.show();
  }

  /** @param {"svg"|"png"|"csv"} kind */
  async save(kind) {
    const { loss, against, heads, tails } = this.plane,
      name = `ltviz-phase-${loss}-${against}-${heads}+${tails}.${kind}`;
    try {
      if (kind === "csv") download(new Blob([csvOf(this.plane, this.found)], { type: "text/csv" }), name);
      else if (kind === "png") download(await pngOf(this.map.root), name);
      else download(new Blob([svgText(this.map.root)], { type: "image/svg+xml" }), name);
    } catch (error) {
      setText(this.said, error instanceof Error ? error.message : String(error));
    }
  }

  /** Off the page for good. */
  end() {
    this.survey.stop();
    this.crew.end();
    this.keep();
  }
}

/** @param {string} name @param {string} hint @param {() => void} act */
function button(name, hint, act) {
  const made = make("button", "ltl-button", { type: "button", ...(hint ? { title: hint } : {}) }, name);
  made.addEventListener("click", act);
  return made;
}
