/** The lab on the page: form, stage, curves and matrices around one worker; what is set stands in the address. */
import { classColours, RAMP, toHex } from "../common/colours.js";
import { make } from "../common/dom.js";
import { Reduced } from "../common/reduced.js";
import { Below } from "./below.js";
import { Film } from "./film.js";
import { Form, SLOW } from "./form.js";
import { watchHand, wayOf } from "./hand.js";
import { headersOf } from "./header.js";
import { stageDataOf } from "./given.js";
import { PhaseDiagram } from "./phase/diagram.js";
import { DEFAULTS, readSettings, settle, startsAnew, writeSettings } from "./settings.js";
import { LabSource } from "./source.js";
import { TOURS } from "./shadows.js";
import { Theories } from "./theory/theories.js";
import { appearing } from "./theory/appearing.js";
import { sayVain } from "./vain.js";
import { labWords as words } from "./words.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("../common/types.js").StageData} StageData */
/** @typedef {import("../incoming/socket.js").SourceOptions} SourceOptions */
/** @typedef {import("../assembly.js").Stage} Stage */
/** @typedef {(data: StageData, open: (options: SourceOptions) => LabSource) => Stage} OpenStage */
/**
 * @typedef {object} LabData   what the page gives
 * @property {import("./header.js").Looks} looks  colour of each loss
 * @property {"light"|"dark"|null} theme
 * @property {string[]} ramp
 * @property {string[]} categorical
 * @property {string} [reduced]  what the page's address takes away; absent: the lab reads it itself
 * @property {import("../common/types.js").PageControl[]} [controls]  what a link can take away of the page around
 * @property {boolean} [file]  one page by itself: styles and worker stand in it
 * @property {{search: string, scene: import("../saving/scene.js").SceneWish, words?: Partial<import("../words.js").Words>,
 *   wait?: import("../choices/waiting.js").Deed|null, told?: string|null}} [lesson]  what a lesson sets, in place of the page's address, which is not written then either
 */

const WRITE_MS = 220,
  ADDRESS_MS = 400,
  TOUR_MS = 40,
  SHOVE = 0.25;

export class Lab {
  /**
   * @param {LabData} data @param {() => Worker} openWorker
   * @param {OpenStage} openStage
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
    this.theories = new Theories(openWorker, () => this.source?.again());
    this.phase = new PhaseDiagram({ openWorker, play: (patch) => this.play(patch) }, !data.lesson);
    this.below = new Below(this.theories, this.phase, (step) => this.stage.timeline.hold(step));
    this.below.matrices.head.append(
      this.form.makeButton(words.theory.appear, words.theory.appearHint, () => this.letAppear()),
    );
    /** @type {string[]} of the classes */
    this.colours = [];
    this.film.begin(this.headers());
    this.stage = openStage(stageDataOf(this.data, this.settings), (options) => this.openSource(options));
    this.lay();
    watchHand(this.stage, {
      move: (id, c, to, all) => this.hold(id, c, to, all),
      end: () => this.send({ type: "release" }),
    });
    this.stage.choices.watch((changed) => this.chosen(changed));
    this.send({ type: "begin", settings: this.settings });
    this.pace();
    this.write();
  }

  lay() {
    const vain = this.data.lesson ? "" : sayVain(location.search);
    // The address says what is shown.
    if (vain) this.mirror();
    const lead = make(
      "header",
      "ltl-lead",
      {},
      ...(this.data.file ? [] : [make("h2", "", {}, words.title)]),
      `${words.lead} ${words.drag}`,
      ...(vain ? [make("p", "ltl-vain", { role: "status" }, vain)] : []),
    );
    const main = make("div", "ltl-main", {}, this.place, this.below.root);
    this.root.dataset.controls = "";
    Reduced.guard(this.form.root);
    // The styles of a page by itself stand in it.
    for (const name of this.data.file ? [] : ["../stage.css", "./lab.css"])
      this.root.append(make("link", "", { rel: "stylesheet", href: new URL(name, import.meta.url).href }));
    const asked = this.form.fields[this.data.lesson?.wait?.setting ?? ""]?.root,
      form = asked ? make("div", "ltl-form", {}, asked) : this.form.root;
    // What a lesson waits for is the one thing that can be set beside it.
    form.classList.toggle("ltl-asked", Boolean(asked));
    this.root.append(lead, form, main);
    if (asked) this.stage.scene.waiting.ring([asked]);
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
    this.theories.end();
    this.phase.end();
  }

  /** @param {import("./worker.js").Order} order */
  send(order) {
    this.worker.postMessage(order);
  }

  /** @param {SourceOptions} options */
  openSource(options) {
    // Kept moments have sources of their own; the first is the stage's.
    const own = !this.source,
      source = new LabSource(this.film, options, own ? (clock) => this.clockTurned(clock.mode, clock.step) : undefined);
    source.ghosts = (shot) => this.ghosts(shot);
    if (own) this.source = source;
    return source;
  }

  /** What theory adds to a moment as it is drawn: its numbers, and its places where these are shown.
   * @param {import("./race.js").Snapshot} shot @returns {Record<string, Float64Array>} */
  ghosts(shot) {
    this.theories.measure(shot);
    const found = this.stage.picture.on.theory ? this.theories.ghostOf(shot) : null;
    if (!found) return {};
    return { theory: found.means, ...(found.weights ? { theory_rows: found.weights } : {}) };
  }

  /** Settings under which theory can be seen to come, and its layer. */
  letAppear() {
    const { layers } = this.stage.choices.now;
    this.stage.choices.set({ layers: { ...layers, theory: true } });
    this.change(appearing(this.settings));
    this.begin();
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
      for (const [id, header] of this.headers()) {
        const { title, counts } = this.film.of.get(id)?.header ?? {};
        if (title !== header.title || String(counts) !== String(header.counts)) this.film.rename(id, header);
      }
    }
    this.send({ type: "change", settings: this.settings });
    this.stage.scene.waiting.settled(this.settings);
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

  /** A cell of the phase diagram: from the first step, where it can be seen. @param {Partial<Settings>} patch */
  play(patch) {
    this.change(patch);
    this.begin();
    this.place.scrollIntoView({ block: "nearest" });
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
    return headersOf(this.settings, this.data.looks);
  }

  /** A hand holds a class: it stays where it is drawn there, until the hand lets go. @param {string} id of the panel
   * @param {number} c @param {import("../common/types.js").Vec3} to @param {boolean} all in every panel */
  hold(id, c, to, all) {
    this.goOn();
    const { dim, together } = this.settings,
      shot = this.film.of.get(id)?.frames.at(-1),
      view = this.source?.views.get(id)?.view;
    if (!shot) return;
    const mean = shot.means.slice(c * dim, (c + 1) * dim);
    if (dim > 3 && view && this.source && TOURS.includes(/** @type {any} */ (this.source.projection)))
      return void (view.turnTo(mean, to), this.source.again());
    const ids = all || together ? [] : [id];
    this.send({ type: "hold", ids, c, to: wayOf(mean, to, dim > 3 && view ? view.rows : null) });
  }

  /** @param {Set<string>} changed groups of the stage's choices */
  chosen(changed) {
    if (changed.has("layers")) {
      this.tellForces();
      this.source?.again();
    }
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

  /** What stands below, a few times a second. */
  writeBelow() {
    this.form.writeMotion(this.settings, this.rate);
    this.below.draw(this.film, this.settings, this.mode === "follow" ? null : this.held, this.colours);
  }
}
