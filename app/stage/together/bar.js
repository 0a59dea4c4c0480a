/** The line above a page of a class: who leads, who follows, what they have answered. It says what it is told. */
import { make, setAttribute, setText } from "../common/dom.js";
import { fill } from "../words.js";

/** @typedef {Record<string, string>} Said  the page's words */
/** @typedef {{question: string, counts: number[], answered: number, followers: number, names: string[], title: string}} Tally */
/** @typedef {"leading"|"following"|"alone"|"away"|"ended"|"lost"|"refused"|"joining"|"elsewhere"} Standing */
/** @typedef {{name: string, act: () => void, strong?: boolean}} Way */

export class Bar {
  /** @param {Said} said */
  constructor(said) {
    this.said = said;
    this.text = make("span", "ltc-text", { role: "status" });
    this.count = make("span", "ltc-count");
    this.ways = make("span", "ltc-ways");
    this.tally = make("div", "ltc-tally", { role: "group", "aria-label": said.tally, hidden: "" });
    this.line = make("div", "ltc-line", {}, make("i", "ltc-dot"), this.text, this.count, this.ways);
    this.root = make("section", "ltc-root", { "data-testid": "ltviz-class" }, this.line, this.tally);
    this.root.append(make("link", "", { rel: "stylesheet", href: new URL("./class.css", import.meta.url).href }));
    this.offered = "";
  }

  /**
   * @param {Standing} standing @param {string} detail said in place of the usual sentence
   * @param {number|null} followers null: not for these eyes @param {Way[]} ways
   */
  write(standing, detail, followers, ways) {
    setAttribute(this.root, "data-standing", standing);
    setText(this.text, detail || this.said[standing]);
    setText(this.count, followers === null ? "" : fill(this.said.followers, { count: followers }));
    const offered = ways.map(({ name }) => name).join("\n");
    if (offered === this.offered) return;
    this.offered = offered;
    this.ways.replaceChildren(
      ...ways.map(({ name, act, strong }) => {
        const button = make("button", strong ? "ltc-strong" : "", { type: "button" }, name);
        button.addEventListener("click", act);
        return button;
      }),
    );
  }

  /** A field with the link, where the clipboard is closed. @param {string} link */
  showLink(link) {
    const field = make("input", "", { type: "text", readonly: "", "aria-label": this.said.link, value: link });
    this.ways.querySelector("input")?.remove();
    this.ways.prepend(field);
    field.select();
  }

  /** @param {Tally|null} tally */
  writeTally(tally) {
    this.tally.hidden = !tally;
    if (!tally) return;
    const most = Math.max(1, ...tally.counts);
    const rows = tally.names.map((name, i) => {
      const count = tally.counts[i] ?? 0,
        bar = make("i", "");
      bar.style.width = `${(100 * count) / most}%`;
      const said = { role: "listitem", "aria-label": fill(this.said.counted, { name, count }) };
      return make(
        "div",
        "ltc-row",
        said,
        make("span", "", {}, name),
        make("b", "", {}, bar),
        make("em", "", {}, String(count)),
      );
    });
    const of = { answered: tally.answered, count: tally.followers };
    this.tally.replaceChildren(
      make("p", "", {}, make("strong", "", {}, tally.title), " ", make("span", "", {}, fill(this.said.answered, of))),
      make("div", tally.names.length > MOST_LINES ? "ltc-many" : "ltc-rows", { role: "list" }, ...rows),
    );
  }
}

/** Rows that stand one under the other; more stand in columns. */
const MOST_LINES = 6;
