/** Cosines between the classes as squares, a card for each panel and one for the ideal. */
import { make, setAttribute, setText } from "../common/dom.js";
import { formatMeasure } from "../common/numbers.js";
import { fill } from "../words.js";
import { labWords as words } from "./words.js";

/** @typedef {{id: string, title: string, of: string, cosines: Float32Array}} Square its caption, and whose it is */
/**
 * @typedef {object} Comparison
 * @property {string} id
 * @property {string} title
 * @property {string} colour   of the panel; "": none
 * @property {Square[]} squares
 * @property {string[]} says   sentences below
 */
/** @typedef {[number, number, number]} Rgb */

/** Opposite, right angles, the same direction; the middle is the page. */
const OPPOSITE = [33, 102, 172],
  SAME = [178, 24, 43];

/** Cosines of rows with one another. @param {ArrayLike<number>} rows @param {number} n @param {number} dim */
export function cosinesOf(rows, n, dim) {
  const out = new Float32Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < dim; k++) sum += rows[i * dim + k] * rows[j * dim + k];
      out[i * n + j] = out[j * n + i] = sum;
    }
  return out;
}

export class Matrices {
  constructor() {
    /** @type {Map<string, {root: HTMLElement, name: HTMLElement, dot: HTMLElement, row: HTMLElement, says: HTMLElement}>} */
    this.cards = new Map();
    /** @type {Map<string, {figure: HTMLElement, canvas: HTMLCanvasElement, caption: HTMLElement}>} */
    this.squares = new Map();
    this.row = make("div", "ltl-cards");
    this.head = make("div", "ltl-head", {}, make("h3", "", { title: words.matricesHint }, words.matrices));
    this.root = make("section", "ltl-matrices", {}, this.head, this.row);
  }

  /**
   * @param {Comparison[]} cards in their order @param {number} n classes @param {Rgb} page 0 to 255
   */
  draw(cards, n, page) {
    const kept = new Set(cards.flatMap(({ id, squares }) => [id, ...squares.map((square) => square.id)]));
    for (const [id, { root }] of this.cards) if (!kept.has(id)) (root.remove(), this.cards.delete(id));
    for (const [id, { figure }] of this.squares) if (!kept.has(id)) (figure.remove(), this.squares.delete(id));
    cards.forEach((card, i) => {
      const known = this.placeOf(card.id);
      stand(this.row, known.root, i);
      setText(known.name, card.title);
      known.dot.hidden = !card.colour;
      known.dot.style.background = card.colour;
      known.root.style.setProperty("--ltl-squares", String(card.squares.length));
      setText(known.says, card.says.join(" "));
      card.squares.forEach((square, at) => {
        const { figure, caption, canvas } = this.squareOf(square.id);
        stand(known.row, figure, at);
        setText(caption, square.title);
        caption.hidden = !square.title;
        paint(canvas, square, n, page);
      });
    });
  }

  /** @param {string} id */
  placeOf(id) {
    let known = this.cards.get(id);
    if (known) return known;
    const [name, dot, row] = [make("span"), make("i", "ltl-dot"), make("div", "ltl-squares")],
      says = make("p", "ltl-says", { "data-testid": "ltviz-theory" });
    const root = make("article", "ltl-card", { "data-card": id }, make("h4", "", {}, dot, name), row, says);
    known = { root, name, dot, row, says };
    this.cards.set(id, known);
    return known;
  }

  /** @param {string} id */
  squareOf(id) {
    let known = this.squares.get(id);
    if (known) return known;
    const canvas = make("canvas", "ltl-square", { role: "img" }),
      caption = make("figcaption", "");
    known = { canvas, caption, figure: make("figure", "ltl-figure", { "data-square": id }, canvas, caption) };
    this.squares.set(id, known);
    return known;
  }
}

/** @param {HTMLElement} parent @param {HTMLElement} child @param {number} at its place */
function stand(parent, child, at) {
  if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
}

/** @param {HTMLCanvasElement} canvas @param {Square} square @param {number} n @param {Rgb} page */
function paint(canvas, { cosines, of }, n, page) {
  const context = canvas.getContext("2d");
  if (!context) return;
  if (canvas.width !== n) canvas.width = canvas.height = n;
  const image = context.createImageData(n, n);
  let low = 1,
    high = -1;
  for (let at = 0; at < n * n; at++) {
    const value = cosines[at],
      off = at % (n + 1) !== 0,
      towards = value < 0 ? OPPOSITE : SAME,
      share = Math.min(1, Math.abs(value)) ** 0.7;
    if (off) [low, high] = [Math.min(low, value), Math.max(high, value)];
    for (let k = 0; k < 3; k++) image.data[4 * at + k] = page[k] + share * (towards[k] - page[k]);
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  const said = { title: of, low: formatMeasure(low, ""), high: formatMeasure(high, "") };
  setAttribute(canvas, "aria-label", fill(words.matrixSays, said));
  setAttribute(canvas, "title", fill(words.matrixSays, said));
}
