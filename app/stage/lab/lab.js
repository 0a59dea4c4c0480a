/** The lab on the page: form, stage, curves and matrices around one worker; what is set stands in the address. */
import { classColours, parseCss, toHex } from "../common/colours.js";
import { make } from "../common/dom.js";
import { named, Reduced } from "../common/reduced.js";
import { RAMP } from "../common/colours.js";
import { Curves } from "./curves.js";
import { Film } from "./film.js";
import { Form, SLOW } from "./form.js";
import { watchHand } from "./hand.js";
import { headerOf, titleOf } from "./header.js";
import { stageDataOf } from "./given.js";
import { Playground } from "./playground.js";
import { cosinesOf, Matrices } from "./matrices.js";
import { DEFAULTS, readSettings, settle, startsAnew, writeSettings } from "./settings.js";
import { LabSource } from "./source.js";
import { bestTargets, fits } from "./targets.js";
import { seen, TOURS } from "./shadows.js";
import { fill } from "../words.js";
import { labWords as words } from "./words.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("../common/types.js").StageData} StageData */
/** @typedef {import("../incoming/socket.js").SourceOptions} SourceOptions */
/** @typedef {import("../assembly.js").Stage} Stage */
/**
 * @typedef {object} LabData   what the page gives
 * @property {import("./header.js").Looks} looks  colour of each loss
 * @property {"light"|"dark"|null} theme
 * @property {string[]} ramp
 * @property {string[]} categorical
 * @property {string} [reduced]  what the page's address takes away; absent: the lab reads it itself
 * @property {import("../common/types.js").PageControl[]} [controls]  what a link can take away of the page around
 * @property {boolean} [file]  one page by itself: styles and worker stand in it
 * @property {{search: string, scene: import("../saving/scene.js").SceneWish, words?: Partial<import("../words.js").Words>}}
 * [lesson]  what a lesson sets, in place of the page's address, which is not written then either
 */

const WRITE_MS = 220,
  ADDRESS_MS = 400,
  TOUR_MS = 40,
  SHOVE = 0.25;

export class Lab {
  /**
   * @param {LabData} data @param {() => Worker} openWorker
   * @param {(data: StageData, open: (options: SourceOptions) => LabSource) => Stage} openStage
   */
  constructor(data, openWorker, openStage) {
    this.data = data;
    this.settings = readSettings(data.lesson?.search ?? location.search);
    /** The worker computes forces, as a layer shows them. */
    this.forces = false;
    /** @type {ReturnType<typeof setInterval>[]} */
    this.timers = [];
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.addressTimer = undefined;
    /** The pace that the worker was told last. */
    this.paced = "";
    this.place = make("div", "ltl-stage");
    this.film = new Film();
    this.slow = false;
    this.rate = 0;
    /** How time stands: the worker steps only while the newest moment is shown. */
    this.mode = "follow";
    /** @type {number|null} */
    this.held = null;
    this.worker = openWorker();
    this.worker.onmessage = ({ data: told }) => this.take(told);
    /** @type {LabSource|null} */
    this.source = null;
    this.root = make("div", "ltl-root", { "data-testid": "ltviz-lab" });
    this.root.classList.toggle("ltl-lesson", Boolean(data.lesson));
    this.form = new Form(this.acts(), data.looks);
    this.curves = new Curves((step) => this.stage.timeline.hold(step));
    this.matrices = new Matrices();
    this.playground = new Playground();
    /** @type {Map<string, Float32Array>} cosines that theory predicts, by loss: a place for whoever can compute them */
    this.predicted = new Map();
    /** @type {string[]} of the classes */
    this.colours = [];
    this.ideal = { key: "", cosines: new Float32Array(0) };
    this.film.begin(this.headers());
    this.stage = openStage(stageDataOf(this.data, this.settings), (options) => this.openSource(options));
    this.lay();
    watchHand(this.stage, {
      move: (id, c, to) => this.put(id, c, to),
      end: () => {},
    });
    this.stage.choices.watch((changed) => this.chosen(changed));
    this.send({ type: "begin", settings: this.settings });
    this.pace();
    this.write();
  }

  lay() {
    const lead = make(
      "header",
      "ltl-lead",
      {},
      ...(this.data.file ? [] : [make("h2", "", {}, words.title)]),
      `${words.lead} ${words.drag}`,
    );
    const below = { curves: this.curves, matrices: this.matrices, targets: this.playground };
    const parts = Object.entries(below).map(([name, { root }]) => named(root, `lab.${name}`));
    const main = make("div", "ltl-main", {}, this.place, ...parts);
    this.root.dataset.controls = "";
    Reduced.guard(this.form.root);
    // The styles of a page by itself stand in it.
    for (const name of this.data.file ? [] : ["../stage.css", "./lab.css"])
      this.root.append(make("link", "", { rel: "stylesheet", href: new URL(name, import.meta.url).href }));
    this.root.append(lead, this.form.root, main);
  }

  /** @param {ParentNode & Node} parent */
  attach(parent) {
    parent.append(this.root);
    this.stage.attach(this.place);
    this.timers = [setInterval(() => this.writeBelow(), WRITE_MS), setInterval(() => this.source?.tour(), TOUR_MS)];
    this.dress();
  }

  /** Off the page: nothing is computed. */
  detach() {
    this.timers.forEach(clearInterval);
    this.send({ type: "pace", speed: -1 });
    this.stage.detach();
    this.root.remove();
  }

  /** On the page again. */
  resume() {
    this.pace();
  }

  /** Ends it for good. */
  end() {
    this.detach();
    this.worker.terminate();
  }

  /** @param {import("./worker.js").Order} order */
  send(order) {
    this.worker.postMessage(order);
  }

  /** @param {SourceOptions} options */
  openSource(options) {
    // Kept moments have sources of their own; the first is the stage's.
    if (this.source) return new LabSource(this.film, options);
    this.source = new LabSource(this.film, options, (clock) => this.clockTurned(clock.mode, clock.step));
    return this.source;
  }

  /** @returns {import("./form.js").FormActs} */
  acts() {
    return {
      change: (patch) => this.change(patch),
      start: () => this.begin(),
      reset: () => {
        this.slow = false;
        this.change({ ...DEFAULTS });
        this.begin();
      },
      perturb: () => {
        this.goOn();
        this.send({ type: "perturb", size: SHOVE });
      },
      step: () => this.singleStep(),
      slow: () => {
        this.slow = !this.slow;
        this.pace();
        this.write();
      },
    };
  }

  /** @param {Partial<Settings>} patch */
  change(patch) {
    const before = this.settings;
    this.settings = settle({ ...before, ...patch });
    if (startsAnew(before, this.settings)) {
      this.film.begin(this.headers());
      this.stage.setData(stageDataOf(this.data, this.settings));
      this.stage.timeline.goLive();
    } else {
      this.goOn();
      if (
        String(before.counts) !== String(this.settings.counts) ||
        before.imbalance !== this.settings.imbalance ||
        before.profile !== this.settings.profile
      )
        for (const [id, header] of this.headers()) this.film.rename(id, header);
    }
    this.send({ type: "change", settings: this.settings });
    if (before.speed !== this.settings.speed) this.slow = false;
    this.pace();
    this.write();
    clearTimeout(this.addressTimer);
    this.addressTimer = setTimeout(() => this.mirror(), ADDRESS_MS);
  }

  mirror() {
    if (this.data.lesson) return;
    const next = writeSettings(location.href, this.settings);
    if (next !== location.href) history.replaceState(history.state, "", next);
  }

  /** The same settings, seen otherwise: as before play was pressed, or after. @param {LabData} data */
  setData(data) {
    this.data = data;
    this.stage.setData(stageDataOf(data, this.settings));
  }

  /** From the first step once more. */
  begin() {
    this.film.begin(this.headers());
    this.stage.timeline.goLive();
    this.send({ type: "begin", settings: this.settings });
    this.pace();
  }

  /** Who acts in the past goes on from there: what came after it is forgotten. */
  goOn() {
    if (this.mode === "follow" || this.held === null) return;
    const step = Math.min(this.held, this.film.last),
      seenThen = this.film.at(step);
    if (step < this.film.last) {
      for (const reel of this.film.of.values()) this.film.cutReel(reel, step);
      this.send({ type: "restore", seen: seenThen });
    }
    this.stage.timeline.goLive();
  }

  singleStep() {
    if (this.mode !== "hold" || this.held === null) this.stage.timeline.hold(this.film.last);
    const held = this.held ?? this.film.last;
    if (held < this.film.last) return this.stage.timeline.walk(1);
    this.send({ type: "step" });
  }

  /** @param {import("../incoming/replayclock.js").Mode} mode @param {number|null} step */
  clockTurned(mode, step) {
    const other = mode !== this.mode || step !== this.held;
    [this.mode, this.held] = [mode, step];
    if (other) this.pace();
  }

  /** Tells the worker how fast it may go. */
  pace() {
    const { speed } = this.settings;
    // A link to a step that has not been computed: go there, and stay.
    const ahead = this.mode === "hold" && this.held !== null && this.held > this.film.last;
    const wanted = this.mode !== "follow" ? (ahead ? 0 : -1) : this.slow ? SLOW : speed;
    const until = ahead ? /** @type {number} */ (this.held) : Infinity;
    if (this.paced === `${wanted} ${until}`) return;
    this.paced = `${wanted} ${until}`;
    this.send({ type: "pace", speed: wanted, until });
  }

  /**
   * What the worker has computed. @param {{looks: import("./race.js").Snapshot[][], stepped: boolean}} told stepped: a
   * single step is among it
   */
  take({ looks, stepped }) {
    // The last one is seen; those before it are on the film.
    looks.forEach((snapshots, i) => this.takeOne(snapshots, i < looks.length - 1));
    if (stepped) this.stage.timeline.hold(this.film.last);
    // Asked for more when this is on the screen.
    requestAnimationFrame(() => this.send({ type: "seen" }));
  }

  /** @param {import("./race.js").Snapshot[]} snapshots @param {boolean} passing */
  takeOne(snapshots, passing) {
    const { dim, classes } = this.settings,
      known = snapshots.filter(({ id }) => this.film.of.has(id));
    // Of a race that is no more.
    if (known.some(({ means }) => means.length !== classes * dim)) return;
    this.film.add(known, passing);
    this.rate = known[0]?.metrics.rate ?? this.rate;
  }

  headers() {
    const { settings, data } = this;
    return new Map(settings.losses.map((id) => [id, headerOf(id, settings, data.looks)]));
  }

  /** A hand holds a class: it goes where it is drawn there. @param {string} id @param {number} c
   * @param {import("../common/types.js").Vec3} to */
  put(id, c, to) {
    this.goOn();
    const { dim } = this.settings,
      shot = this.film.of.get(id)?.frames.at(-1),
      view = this.source?.views.get(id)?.view;
    if (!shot) return;
    const mean = shot.means.slice(c * dim, (c + 1) * dim);
    if (dim > 3 && view) {
      if (this.source && TOURS.includes(/** @type {any} */ (this.source.projection)))
        return void (view.turnTo(mean, to), this.source.again());
      // In a shadow the hand moves what can be seen of the class; the rest of it stays, as far as there is room.
      for (let turn = 0; turn < 4; turn++) {
        const here = seen(view.rows, mean, dim);
        for (let a = 0; a < 3; a++) for (let k = 0; k < dim; k++) mean[k] += (to[a] - here[a]) * view.rows[a * dim + k];
        const size = Math.hypot(...mean) || 1;
        for (let k = 0; k < dim; k++) mean[k] /= size;
      }
      this.send({ type: "put", id, c, to: mean });
    } else {
      const flat = Float32Array.from(to.slice(0, dim)),
        size = Math.hypot(...flat) || 1;
      this.send({ type: "put", id, c, to: flat.map((v) => v / size) });
    }
  }

  /** @param {Set<string>} changed groups of the stage's choices */
  chosen(changed) {
    if (changed.has("layers")) this.tellForces();
    if (changed.has("colour")) this.dress();
  }

  tellForces() {
    const on = Boolean(this.stage.picture.on.forces);
    if (on === this.forces) return;
    this.forces = on;
    this.send({ type: "forces", on });
  }

  /** The stage's paper and ink. */
  dress() {
    const { theme } = this.stage.choices.now;
    if (!theme) return;
    for (const name of /** @type {const} */ (["page", "ink", "line"]))
      this.root.style.setProperty(`--ltv-${name}`, toHex(theme[name]));
    this.tellForces();
    this.write();
    this.writeBelow();
  }

  write() {
    const { theme } = this.stage.choices.now,
      { classes } = this.settings;
    const ramp = this.data.ramp?.length ? this.data.ramp : RAMP;
    const page = theme?.page ?? /** @type {[number, number, number]} */ ([1, 1, 1]);
    const look = { ramp, categorical: this.data.categorical ?? [], page, groups: [] };
    this.colours = classColours(classes, "ramp", look).map(toHex);
    this.form.write(this.settings, this.colours, this.slow);
  }

  /** Curves and squares, a few times a second. */
  writeBelow() {
    const { settings, film } = this;
    this.form.writeMotion(settings, this.rate);
    const style = getComputedStyle(this.root),
      ink = style.getPropertyValue("--ltv-ink").trim() || "#1c1f24",
      line = style.getPropertyValue("--ltv-line").trim() || "#d9dadd",
      paper = parseCss(style.getPropertyValue("--ltv-page")) ?? [1, 1, 1];
    const colours = new Map(settings.losses.map((id) => [id, this.data.looks[id]?.colour ?? ink]));
    const held = this.mode === "follow" ? null : this.held,
      quiet = `color-mix(in srgb, ${ink} 60%, ${toHex(paper)})`;
    this.curves.draw(film, { ink, quiet, line, colours }, held);
    const { classes, dim } = settings,
      shots = held === null ? film.at(Infinity) : film.at(held);
    /** @type {import("./matrices.js").Square[]} */
    const squares = shots
      .filter(({ means }) => means.length === classes * dim)
      .map(({ id, means }) => ({ id, title: titleOf(id), cosines: cosinesOf(means, classes, dim) }));
    for (const [id, cosines] of this.predicted)
      if (cosines.length === classes * classes && settings.losses.includes(id))
        squares.push({ id: `${id} predicted`, title: fill(words.predicted, { title: titleOf(id) }), cosines });
    squares.push({ id: "ideal", title: words.ideal, cosines: this.idealCosines() });
    const page = /** @type {[number, number, number]} */ (paper.map((v) => 255 * v));
    this.matrices.draw(squares, classes, page, fits(classes, dim) ? "" : fill(words.noIdeal, { dim }));
    this.playground.write(classes, dim, { ink, quiet, line, classes: this.colours }, shots[0]);
  }

  idealCosines() {
    const { classes, dim } = this.settings,
      key = `${classes} ${dim}`;
    if (this.ideal.key !== key) this.ideal = { key, cosines: cosinesOf(bestTargets(classes, dim, 1), classes, dim) };
    return this.ideal.cosines;
  }
}
