/** The parts of a stage on the page, from the legend above it to the table beneath. */
import { Badge } from "./badge.js";
import { Card } from "./card.js";
import { make, setText } from "./dom.js";
import { Legend } from "./legend.js";
import { Menus } from "./layers.js";
import { Overlay } from "./overlay.js";
import { Pointer } from "./pointer.js";
import { SelectionBar } from "./selection.js";
import { Table } from "./table.js";
import { Timeline } from "./timeline.js";
import { Tips } from "./tips.js";

/**
 * @typedef {object} OwnActs   what a part can ask of the stage
 * @property {(request: object) => void} request     of the server
 * @property {() => void} timeChanged
 * @property {(id: string) => void} showAlone
 * @property {(ids: Set<number>|null) => void} select
 * @property {() => void} redraw
 */
/** @typedef {OwnActs & import("./layers.js").MenuActs} Acts */

const SVG = "http://www.w3.org/2000/svg";

export class Parts {
  /**
   * @param {import("./types.js").StageData} data @param {import("./words.js").Words} words
   * @param {import("./picture.js").Picture} picture @param {Acts} acts
   */
  constructor(data, words, picture, acts) {
    this.words = words;
    this.root = make("div", "ltv-root");
    this.stage = make("div", "ltv-stage");
    this.message = make("div", "ltv-message", { role: "status", hidden: "" });
    this.notice = make("div", "ltv-notice", { role: "status", hidden: "" });
    const texts = make("div", "ltv-overlay"), lasso = document.createElementNS(SVG, "svg"), outline = document.createElementNS(SVG, "polyline");
    lasso.setAttribute("class", "ltv-lasso");
    lasso.append(outline);
    this.stage.append(picture.canvas, texts, lasso, this.message);
    // Until the style sheet is there the page must not jump.
    this.stage.style.position = "relative";
    const tips = new Tips(this.root);
    this.overlay = new Overlay(texts, words, acts.showAlone);
    this.timeline = new Timeline(words, acts.request);
    this.timeline.onChange = acts.timeChanged;
    this.badge = new Badge();
    this.legend = new Legend(words, tips);
    this.table = new Table(data.measures ?? [], words, tips);
    this.menus = new Menus(picture.layers, acts);
    this.selection = new SelectionBar(() => acts.select(null));
    this.pointer = new Pointer(picture, new Card(this.stage), outline, acts);
    this.root.append(
      make("link", "", { rel: "stylesheet", href: new URL("./stage.css", import.meta.url).href }),
      make("div", "ltv-bar", {}, this.legend.root, this.menus.root),
      this.stage,
      this.timeline.root,
      make("div", "ltv-foot", {}, this.notice, this.selection.root, this.badge.root),
      this.table.root,
    );
  }

  /** Everything that is read rather than seen. @param {import("./picture.js").Picture} picture @param {import("./runs.js").Run[]} runs
   * @param {import("./types.js").Measure[]} measures */
  write(picture, runs, measures) {
    if (!picture.theme) return;
    runs.forEach((run) => picture.dress(run));
    this.overlay.write(picture.shown, measures, picture.theme.page);
    this.table.write(runs, this.overlay.simplexNote(runs));
    this.legend.write(runs, picture.layers, picture.colourMode);
    this.menus.setClasses(runs.find((run) => run.info)?.info?.header.class_names ?? [], picture.chosen);
    this.timeline.setRuns(runs);
    this.timeline.setShown(Math.max(0, ...runs.map((run) => run.frame?.header.step ?? 0)));
  }

  /** A sentence in the middle of the stage; "" takes it away. @param {string} sentence @param {string} [next] what to do */
  say(sentence, next = "") {
    this.message.hidden = !sentence;
    this.message.replaceChildren(make("strong", "", {}, sentence), ...(next ? [make("span", "", {}, next)] : []));
  }

  /** A sentence under the stage; "" takes it away. @param {string} sentence @param {string} [next] name of a button @param {() => void} [act] */
  notify(sentence, next = "", act = () => {}) {
    this.notice.hidden = !sentence;
    setText(this.notice, sentence);
    if (!next) return;
    const button = make("button", "ltv-plain", { type: "button" }, next);
    button.addEventListener("click", act);
    this.notice.append(" ", button);
  }

  /** How the stream fares. @param {import("./socket.js").Link} link @param {string} detail @param {string} standing said while all is well
   * @param {() => void} again */
  showLink(link, detail, standing, again) {
    const { words } = this;
    if (link === "open") this.notify(standing);
    else if (link === "waiting") this.notify(Number(detail) > 2 ? words.unreachable : words.reconnecting);
    else if (link === "refused") this.notify([words.refused, detail].filter(Boolean).join(" "), words.retry, again);
  }
}
