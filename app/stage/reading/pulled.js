/** In the card of a sample or a class, a small ribbon: who has moved it, as the ledger of pulls has it. */
import { serverAddress } from "../common/address.js";
import { toHex } from "../common/colours.js";
import { make, setAttribute, setText } from "../common/dom.js";
import { PARTS, partColour } from "../scene/forces.js";
import { pulledWords } from "./words.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {{row: number}|{rank: number}} Whose   a sample of the probe, or a class */
/** @typedef {{part: string, name: string, done: number[]}} PartDone   its work by each step, 0 at the first */
/**
 * @typedef {{told: string, note?: string, tells?: boolean, steps: number[], parts: PartDone[]}} Pulled   `tells`: enough
 * steps are known; no parts: nobody knows
 */
/** @typedef {{found: Pulled|null, asked: number, steps: number}} Known   when it was asked, ms; steps the run had then */

/** A hand that only passes asks nothing. */
const REST_MS = 250;
/** A run that goes on is asked about again after this while. */
const AGAIN_MS = 10000;
const MOST_KNOWN = 200;
const WIDTH = 240,
  HEIGHT = 44;
const SVG = "http://www.w3.org/2000/svg";

/**
 * Areas of a ribbon, stacked from the line in the middle: up what went along with the way, down what went against it.
 * Pure. @param {Pulled} pulled @param {number} width @param {number} height
 * @returns {{line: number, areas: {part: string, d: string}[]}} where the line is, and a path for each area
 */
export function ribbonOf({ steps, parts }, width, height) {
  const count = steps.length,
    sums = [1, -1].map((sign) =>
      Math.max(0, ...steps.map((_, t) => parts.reduce((sum, { done }) => sum + Math.max(0, sign * done[t]), 0))),
    ),
    scale = height / (sums[0] + sums[1] || 1),
    line = sums[0] * scale;
  const x = (/** @type {number} */ t) => (width * (steps[t] - steps[0])) / Math.max(1, steps[count - 1] - steps[0]);
  const areas = [1, -1].flatMap((sign) => {
    const base = new Array(count).fill(0);
    return parts.flatMap(({ part, done }) => {
      const from = [...base];
      done.forEach((value, t) => (base[t] += Math.max(0, sign * value)));
      if (base.every((value, t) => value === from[t])) return [];
      const at = (/** @type {number} */ t, /** @type {number} */ sum) =>
        `${x(t).toFixed(1)} ${(line - sign * sum * scale).toFixed(1)}`;
      const there = base.map((sum, t) => at(t, sum)),
        back = from.map((sum, t) => at(t, sum)).reverse();
      return [{ part, d: `M${[...there, ...back].join("L")}z` }];
    });
  });
  return { line, areas };
}

export class PulledNote {
  /**
   * @param {import("../common/types.js").StageData} data @param {() => import("../common/theme.js").Theme|null} theme
   * @param {(address: string) => Promise<Response>} [get] for tests
   */
  constructor(data, theme, get = (address) => fetch(address)) {
    this.theme = theme;
    this.get = get;
    /** Files and notebooks have nobody to ask. */
    this.asks = Boolean(data.token) && !data.replay;
    this.stream = data.stream;
    this.token = data.token;
    /** @type {Map<string, Known>} */
    this.known = new Map();
    /** What is asked for, or about to be. @type {string|null} */
    this.wanted = null;
    this.asking = false;
    /** @type {unknown} what is drawn */
    this.drawn = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    /** Something is known that was not: the card is written again. @type {() => void} */
    this.onFound = () => {};
    /** Opens the whole ledger, where the page has one. @type {((run: string, whose: Whose) => void)|null} */
    this.open = null;
    this.title = make("div", "ltv-neartitle", {}, pulledWords.title);
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("aria-label", pulledWords.ribbon);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.said = make("p", "");
    this.whole = make("button", "ltv-plain", { type: "button", title: pulledWords.wholeHint }, pulledWords.whole);
    this.root = make(
      "div",
      "ltv-pulled",
      { hidden: "", "data-testid": "ltviz-pulled" },
      this.title,
      this.svg,
      this.said,
      this.whole,
    );
    this.whole.addEventListener("click", () => this.of && this.open?.(this.of.run, this.of.whose));
  }

  /** @type {{run: string, whose: Whose}|null} */
  of = null;

  hide() {
    this.root.hidden = true;
    this.wanted = null;
    clearTimeout(this.timer);
  }

  /** Shows what is known of it, and asks where nothing is. @param {Run} run @param {Whose} whose */
  show(run, whose) {
    if (!this.asks) return;
    const key = `${run.id} ${JSON.stringify(whose)}`,
      known = this.known.get(key),
      old = known && known.steps !== run.steps.length && performance.now() - known.asked > AGAIN_MS;
    this.of = { run: run.id, whose };
    if ((!known || old) && this.wanted !== key && !this.asking) {
      this.wanted = key;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(key, run, whose), REST_MS);
    }
    const found = known?.found;
    this.root.hidden = !found || !found.told;
    if (found?.told) this.write(found);
  }

  /** @param {string} key @param {Run} run @param {Whose} whose */
  async ask(key, run, whose) {
    const stream = new URL(serverAddress(this.stream)),
      url = new URL(`pulls${stream.search}`, stream),
      steps = run.steps.length;
    url.searchParams.set("run", run.id);
    url.searchParams.set("token", this.token);
    if ("row" in whose) url.searchParams.set("row", String(whose.row));
    else url.searchParams.set("class", String(whose.rank));
    this.asking = true;
    /** @type {Pulled|null} */
    let found = null;
    try {
      const answer = await this.get(url.href);
      if (answer.ok) found = await answer.json();
      else console.debug(await answer.text());
    } catch (error) {
      // The card says the rest; the stream tells when the app is gone.
      console.debug(error);
    }
    this.asking = false;
    if (this.wanted === key) this.wanted = null;
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(key, { found, asked: performance.now(), steps });
    this.onFound();
  }

  /** @param {Pulled} found */
  write(found) {
    const theme = this.theme();
    if (!theme) return;
    this.whole.hidden = !this.open;
    const drawn = [found, theme.dark, this.open];
    if (Array.isArray(this.drawn) && drawn.every((one, i) => one === /** @type {unknown[]} */ (this.drawn)[i])) return;
    this.drawn = drawn;
    const { line, areas } = ribbonOf(found, WIDTH, HEIGHT);
    const paths = areas.map(({ part, d }) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", d);
      const known = PARTS.find((one) => one === part);
      path.setAttribute("fill", known ? toHex(partColour(known, theme.page)) : "var(--ltv-quiet)");
      return path;
    });
    const middle = document.createElementNS(SVG, "path");
    middle.setAttribute("d", `M0 ${line.toFixed(1)}H${WIDTH}`);
    middle.setAttribute("class", "ltv-pulledline");
    this.svg.replaceChildren(...paths, middle);
    this.svg.toggleAttribute("hidden", !areas.length);
    setAttribute(this.svg, "data-pale", found.tells ? null : "true");
    setText(this.said, [found.told, found.note].filter(Boolean).join(" "));
  }
}
