/** The parts of a stage on the page, from the legend above it to the table beneath. */
import { Badge } from "./reading/badge.js";
import { SampleNote } from "./reading/sample.js";
import { describeTrouble } from "./incoming/diagnosis.js";
import { make, setText } from "./common/dom.js";
import { controlsIn, named, Reduced } from "./common/reduced.js";
import { exportsOf } from "./saving/export.js";
import { Legend } from "./reading/legend.js";
import { Menus } from "./choices/menus.js";
import { MovedStrip } from "./choices/moved.js";
import { Notice } from "./reading/notice.js";
import { describeNow } from "./reading/now.js";
import { LayerOptions } from "./choices/options.js";
import { Overlay } from "./reading/overlay.js";
import { Pointer } from "./choices/pointer.js";
import { ProjectionMenu } from "./choices/projections.js";
import { SelectionBar, selectionMeasures, selectionMetrics } from "./choices/selection.js";
import { PulledNote } from "./reading/pulled.js";
import { Strips } from "./reading/strips.js";
import { Table } from "./reading/table.js";
import { Timeline } from "./choices/timeline.js";
import { Tips } from "./reading/tips.js";
import { attributeNames } from "./scene/known.js";
import { layersOf } from "./layers/list.js";
import { fill, words } from "./words.js";
import { reducedWords } from "./saving/words.js";

/**
 * @typedef {object} OwnActs   what a part can ask of the stage
 * @property {(request: object) => void} request     of the server
 * @property {() => void} timeChanged
 * @property {(id: string) => void} showAlone
 * @property {() => void} onKeep           the moment shown
 * @property {(id: string) => void} onRelease  a kept moment
 * @property {(id: string) => void} onCard     of a run's method, where the page has cards
 */
/** @typedef {OwnActs & import("./choices/menus.js").MenuActs} Acts */

const SVG = "http://www.w3.org/2000/svg";

export class Parts {
  /**
   * @param {import("./common/types.js").StageData} data @param {import("./drawing/picture.js").Picture} picture
   * @param {Acts} acts
   */
  constructor(data, picture, acts) {
    const { choices } = picture;
    this.choices = choices;
    /** What the page's address takes away. */
    this.reduced = new Reduced(data.reduced ?? (data.guest ? "" : location.search));
    this.reducedBy = data.reduced;
    this.root = make("div", "ltv-root");
    this.stage = make("div", "ltv-stage");
    /** Whether the sentence in the middle is about the stream. */
    this.troubled = false;
    this.message = make("div", "ltv-message", { role: "status", hidden: "" });
    this.now = make("div", "ltv-now", { "data-testid": "ltviz-now" });
    /** Whether runs have said how they stand since messages come: else nothing can be said of what happens now. */
    this.told = false;
    this.notice = new Notice();
    this.reducedSaid = false;
    const texts = make("div", "ltv-overlay");
    const lasso = document.createElementNS(SVG, "svg");
    const outline = document.createElementNS(SVG, "polyline");
    lasso.setAttribute("class", "ltv-lasso");
    lasso.append(outline);
    this.stage.append(picture.canvas, texts, lasso, this.message);
    // Until the style sheet is there the page must not jump.
    this.stage.style.position = "relative";
    const tips = new Tips(this.root);
    this.overlay = new Overlay(texts, acts, tips);
    this.timeline = new Timeline(acts.request, acts.onKeep);
    this.timeline.onChange = acts.timeChanged;
    this.moved = new MovedStrip(choices, (step) => this.timeline.hold(step), tips);
    this.timeline.marks.after(this.moved.strip);
    this.badge = new Badge();
    this.options = new LayerOptions(picture);
    this.legend = new Legend(tips, this.options.root);
    this.strips = new Strips(this.stage, tips);
    this.table = new Table(data.measures ?? [], "ltviz-table", words.tableCaption, tips);
    this.selected = new Table(selectionMeasures(), "ltviz-selected-table", words.selectionCaption, tips);
    this.projections = new ProjectionMenu((projection) => choices.set({ projection }));
    const saves = exportsOf(data);
    this.menus = new Menus(choices, this.projections.root, saves, acts);
    this.selection = new SelectionBar(() => choices.set({ selected: null }));
    this.pulled = new PulledNote(data, () => choices.now.theme);
    this.note = new SampleNote(this.stage, this.pulled);
    this.pointer = new Pointer(picture, this.note, outline);
    this.pulled.onFound = () => this.pointer.look(performance.now());
    for (const [name, element] of /** @type {[string, HTMLElement][]} */ ([
      ["turn", this.stage],
      ["legend", this.legend.root],
      ["time", this.timeline.root],
      ["speed", this.timeline.rate],
      ["keep", this.timeline.keep],
      ["now", this.now],
      ["moved", this.moved.root],
      ["badge", this.badge.root],
      ["table", this.table.root],
    ]))
      named(element, name);
    Reduced.guard(this.root);
    // A replay holds its style sheet in the page: there a module has no address that a path could be relative to.
    if (!data.replay)
      this.root.append(make("link", "", { rel: "stylesheet", href: new URL("./stage.css", import.meta.url).href }));
    this.root.append(
      make("div", "ltv-bar", {}, this.legend.root, this.menus.root),
      this.stage,
      this.timeline.root,
      make(
        "div",
        "ltv-foot",
        {},
        this.now,
        this.notice.root,
        this.timeline.legend,
        this.moved.root,
        this.selection.root,
        this.badge.root,
      ),
      this.table.root,
      this.selected.root,
    );
  }

  /**
   * Everything that is read rather than seen. @param {import("./drawing/picture.js").Picture} picture
   * @param {import("./incoming/runs.js").Run[]} runs the live ones
   * @param {import("./incoming/moments.js").Wish[]} kept @param {import("./common/types.js").StageData} data
   */
  write(picture, runs, kept, data) {
    const { theme, selected, projection } = this.choices.now;
    if (!theme) return;
    for (const run of new Set([...runs, ...picture.shown])) picture.assign(run);
    this.overlay.write(picture.shown, data, theme.page, picture.cameras.focus);
    // A selection takes the table's place: the same runs, only its samples.
    if (selected) this.selected.write(runs, "", (run) => selectionMetrics(selected, run));
    else this.table.write(runs, this.overlay.simplexNote(runs));
    this.table.root.hidden ||= selected !== null;
    this.selected.root.hidden = selected === null;
    this.selection.write(selected, runs);
    this.legend.write(runs, this.choices.now);
    this.options.write(runs);
    this.strips.write(picture.shown, picture.rects, picture.on.inside);
    this.menus.setLayers(layersOf(runs));
    this.menus.setAttributes(attributeNames(runs));
    this.menus.setClasses(runs.find((run) => run.info)?.info?.header.class_names ?? []);
    this.projections.write(runs, projection);
    this.timeline.setRuns(runs, kept);
    this.timeline.setShown(Math.max(0, ...runs.map((run) => run.frame?.header.step ?? 0)));
    // A lesson, and somebody else's page, show what they speak of.
    this.moved.write(data.guest ? [] : runs, this.timeline.laid ?? [0, 1], this.timeline.held ?? this.timeline.shown);
    this.writeNow(runs);
    this.reduce(runs, data);
  }

  /**
   * Takes away what the address does, of what is there by now, and says what of it means nothing.
   * @param {import("./incoming/runs.js").Run[]} runs @param {import("./common/types.js").StageData} data
   */
  reduce(runs, data) {
    const before = this.reduced,
      { root } = this;
    if (data.reduced !== this.reducedBy) this.reduced = new Reduced(data.reduced ?? "");
    this.reducedBy = data.reduced;
    const { reduced } = this;
    if (!reduced.any && !before.any) return;
    const around = /** @type {ParentNode} */ (root.closest("[data-controls]") ?? root);
    reduced.dress(around);
    // The layers of methods come with their runs.
    if (this.reducedSaid || !runs.every((run) => run.info)) return;
    this.reducedSaid = true;
    const known = controlsIn(around).map((one) => one.dataset.control ?? "");
    const unknown = reduced.unknown([...known, ...(data.controls ?? []).map(({ name }) => name)]);
    if (!unknown) return;
    this.notice.inVain = fill(reducedWords.unknown, { names: unknown });
    this.notice.rest();
  }

  /** @param {import("./incoming/runs.js").Run[]} runs the live ones */
  writeNow(runs) {
    setText(this.now, this.told ? describeNow(this.timeline, runs) : "");
  }

  /** What stands above and beneath the spheres and must be seen with them, CSS pixels. */
  heightAround() {
    return [this.menus.root.parentElement, this.timeline.root, this.timeline.root.nextElementSibling].reduce(
      (sum, element) => sum + (element?.getBoundingClientRect().height ?? 0),
      0,
    );
  }

  /**
   * A sentence in the middle of the stage; "" takes it away. @param {string} sentence @param {string} [next] what to do
   */
  say(sentence, next = "") {
    this.troubled = false;
    this.message.hidden = !sentence;
    this.message.replaceChildren(make("strong", "", {}, sentence), ...(next ? [make("span", "", {}, next)] : []));
  }

  /**
   * A sentence under the stage; "" takes it away. @param {string} sentence @param {string} [next] name of a button
   * @param {() => void} [act]
   */
  notify(sentence, next = "", act = () => {}) {
    this.notice.say(sentence, next, act);
  }

  /** Why no stream opens, in the middle, until one does. @param {import("./incoming/diagnosis.js").Trouble} trouble */
  showTrouble(trouble) {
    this.say(...describeTrouble(trouble));
    this.troubled = true;
  }

  /**
   * How the stream fares. @param {import("./incoming/socket.js").Link} link @param {string} detail
   * @param {() => void} again */
  showLink(link, detail, again) {
    this.told = false;
    setText(this.now, "");
    if (link === "open" && this.troubled) this.say("");
    if (link === "open") this.notice.rest();
    else if (link === "silent") this.notify(words.silent);
    else if (link === "waiting") this.notify(Number(detail) > 2 ? words.unreachable : words.reconnecting);
    else if (link === "refused") this.notify([words.refused, detail].filter(Boolean).join(" "), words.retry, again);
  }
}
