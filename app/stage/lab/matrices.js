/** Cosines between the classes of each loss as a square, beside the ideal one, and beside what theory predicts where that is known. */
import { make, setAttribute, setText } from "../common/dom.js";
import { formatMeasure } from "../common/numbers.js";
import { fill } from "../words.js";
import { labWords as words } from "./words.js";

/** @typedef {{id: string, title: string, cosines: Float32Array}} Square */
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
    /** @type {Map<string, {figure: HTMLElement, canvas: HTMLCanvasElement, caption: HTMLElement}>} */
    this.squares = new Map();
    this.note = make("p", "ltl-note", { hidden: "" });
    this.row = make("div", "ltl-squares");
    this.root = make(
      "section",
      "ltl-matrices",
      {},
      make("h3", "", { title: words.matricesHint }, words.matrices),
      this.row,
      this.note,
    );
  }

  /**
   * @param {Square[]} squares the ideal one last @param {number} n classes @param {Rgb} page 0 to 255
   * @param {string} note "" where nothing has to be said
   */
  draw(squares, n, page, note) {
    for (const [id, { figure }] of this.squares)
      if (!squares.some((square) => square.id === id)) {
        figure.remove();
        this.squares.delete(id);
      }
    squares.forEach((square, i) => {
      let known = this.squares.get(square.id);
      if (!known) {
        const canvas = make("canvas", "ltl-square", { role: "img" }),
          caption = make("figcaption", "");
        known = {
          canvas,
          caption,
          figure: make("figure", "ltl-figure", { "data-square": square.id }, canvas, caption),
        };
        this.squares.set(square.id, known);
      }
      if (this.row.children[i] !== known.figure) this.row.insertBefore(known.figure, this.row.children[i] ?? null);
      setText(known.caption, square.title);
      paint(known.canvas, square, n, page);
    });
    this.note.hidden = !note;
    setText(this.note, note);
  }
}

/** @param {HTMLCanvasElement} canvas @param {Square} square @param {number} n @param {Rgb} page */
function paint(canvas, { cosines, title }, n, page) {
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
  const said = { title, low: formatMeasure(low, ""), high: formatMeasure(high, "") };
  setAttribute(canvas, "aria-label", fill(words.matrixSays, said));
  setAttribute(canvas, "title", fill(words.matrixSays, said));
}
