/** The parts of a stage on the page, from the legend above it to the table beneath. */
import { Badge } from "./badge.js";
import { Card } from "./card.js";
import { describeTrouble } from "../incoming/diagnosis.js";
import { make, setText } from "../common/dom.js";
import { EXPORTS } from "../saving/export.js";
import { Legend } from "./legend.js";
import { Menus } from "../choices/menus.js";
import { describeNow } from "./now.js";
import { LayerOptions } from "../choices/options.js";
import { Overlay } from "./overlay.js";
import { Pointer } from "../choices/pointer.js";
import { ProjectionMenu } from "../choices/projections.js";
import { SELECTION_MEASURES, SelectionBar, selectionMetrics } from "../choices/selection.js";
import { Strips } from "./strips.js";
import { Table } from "./table.js";
import { Timeline } from "../choices/timeline.js";
import { Tips } from "./tips.js";

/**
 * @typedef {object} OwnActs   what a part can ask of the stage
 * @property {(request: object) => void} request     of the server
 * @property {() => void} timeChanged
 * @property {(id: string) => void} showAlone
 * @property {(ids: Set<number>|null) => void} select
 * @property {() => void} redraw
 * @property {(name: string) => void} onProjection
 * @property {() => void} onKeep           the moment shown
 * @property {(id: string) => void} onRelease  a kept moment
 */
/** @typedef {OwnActs & import("../choices/menus.js").MenuActs} Acts */

const SVG = "http://www.w3.org/2000/svg";

export class Parts {
  /**
   * @param {import("../common/types.js").StageData} data @param {import("../words.js").Words} words
   * @param {import("../scene/picture.js").Picture} picture @param {Acts} acts
   */
  constructor(data, words, picture, acts) {
    this.words = words;
    this.root = make("div", "ltv-root");
    this.stage = make("div", "ltv-stage");
    /** Whether the sentence in the middle is about the stream. */
    this.troubled = false;
    this.message = make("div", "ltv-message", { role: "status", hidden: "" });
    this.now = make("div", "ltv-now", { "data-testid": "ltviz-now" });
    /** Whether runs have said how they stand since messages come: else nothing can be said of what happens now. */
    this.told = false;
    this.notice = make("div", "ltv-notice", { role: "status", hidden: "" });
    const texts = make("div", "ltv-overlay"),
      lasso = document.createElementNS(SVG, "svg"),
      outline = document.createElementNS(SVG, "polyline");
    lasso.setAttribute("class", "ltv-lasso");
    lasso.append(outline);
    this.stage.append(picture.canvas, texts, lasso, this.message);
    // Until the style sheet is there the page must not jump.
    this.stage.style.position = "relative";
    const tips = new Tips(this.root);
    this.overlay = new Overlay(texts, words, acts, tips);
    this.timeline = new Timeline(words, acts.request, acts.onKeep);
    this.timeline.onChange = acts.timeChanged;
    this.badge = new Badge();
    this.options = new LayerOptions(picture, acts.onLayers);
    this.legend = new Legend(words, tips, this.options.root);
    this.strips = new Strips(this.stage, tips);
    this.table = new Table(data.measures ?? [], "ltviz-table", words.tableCaption, tips);
    this.selected = new Table(SELECTION_MEASURES, "ltviz-selected-table", words.selectionCaption, tips);
    this.projections = new ProjectionMenu(words, acts.onProjection);
    this.menus = new Menus(
      picture,
      this.projections.root,
      EXPORTS.filter(({ needsApp }) => !(needsApp && data.replay)),
      acts,
    );
    this.selection = new SelectionBar(() => acts.select(null));
    this.card = new Card(this.stage);
    this.pointer = new Pointer(picture, this.card, outline, acts);
    this.root.append(
      // A replay holds its style sheet in the page: there a module has no address that a path could be relative to.
      ...(data.replay
        ? []
        : [make("link", "", { rel: "stylesheet", href: new URL("../stage.css", import.meta.url).href })]),
      make("div", "ltv-bar", {}, this.legend.root, this.menus.root),
      this.stage,
      this.timeline.root,
      make("div", "ltv-foot", {}, this.now, this.notice, this.timeline.legend, this.selection.root, this.badge.root),
      this.table.root,
      this.selected.root,
    );
  }

  /**
   * Everything that is read rather than seen. @param {import("../scene/picture.js").Picture} picture
   * @param {import("../incoming/runs.js").Run[]} runs the live ones
   * @param {import("../incoming/moments.js").Wish[]} kept @param {import("../common/types.js").StageData} data
   * @param {string|null} projection asked for
   */
  write(picture, runs, kept, data, projection) {
    const { theme, selected } = picture;
    if (!theme) return;
    for (const run of new Set([...runs, ...picture.shown])) picture.dress(run);
    this.overlay.write(picture.shown, data, theme.page, picture.cameras.focus);
    // A selection takes the table's place: the same runs, only its samples.
    if (selected) this.selected.write(runs, "", (run) => selectionMetrics(selected, run));
    else this.table.write(runs, this.overlay.simplexNote(runs));
    this.table.root.hidden ||= selected !== null;
    this.selected.root.hidden = selected === null;
    this.legend.write(runs, picture.layers, picture.colourMode, picture.forces.alike);
    this.options.write(runs);
    this.strips.write(picture.shown, picture.rects, picture.layers.inside);
    this.menus.setClasses(runs.find((run) => run.info)?.info?.header.class_names ?? []);
    this.projections.write(runs, projection);
    this.timeline.setRuns(runs, kept);
    this.timeline.setShown(Math.max(0, ...runs.map((run) => run.frame?.header.step ?? 0)));
    this.writeNow(runs);
  }

  /** @param {import("../incoming/runs.js").Run[]} runs the live ones */
  writeNow(runs) {
    setText(this.now, this.told ? describeNow(this.timeline, runs, this.words) : "");
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
    this.notice.hidden = !sentence;
    setText(this.notice, sentence);
    if (!next) return;
    const button = make("button", "ltv-plain", { type: "button" }, next);
    button.addEventListener("click", act);
    this.notice.append(" ", button);
  }

  /** Why no stream opens, in the middle, until one does. @param {import("../incoming/diagnosis.js").Trouble} trouble */
  showTrouble(trouble) {
    this.say(...describeTrouble(trouble, this.words));
    this.troubled = true;
  }

  /**
   * How the stream fares. @param {import("../incoming/socket.js").Link} link @param {string} detail
   * @param {string} standing said while all is well
   * @param {() => void} again */
  showLink(link, detail, standing, again) {
    const { words } = this;
    this.told = false;
    setText(this.now, "");
    if (link === "open" && this.troubled) this.say("");
    if (link === "open") this.notify(standing);
    else if (link === "waiting") this.notify(Number(detail) > 2 ? words.unreachable : words.reconnecting);
    else if (link === "refused") this.notify([words.refused, detail].filter(Boolean).join(" "), words.retry, again);
  }
}
