/** The picture and all that is written over it, on one canvas: what PNG, GIF and film are made of. */

import { fill, words } from "../words.js";
import { toHex } from "../common/colours.js";

/** Text smaller than this many pixels of the sheet is set larger, so that a small film can be read. */
const LEAST_TEXT = 9.5,
  PAD = 1;
/** Room for the time beneath a film's picture, in pixels of the sheet. */
const STRIP = 26;
/** A line of a film's caption, and how many there are at most. */
const LINE = 20,
  MOST_LINES = 3,
  CAPTION_FONT = "15px system-ui, sans-serif",
  SIDE = 12;

export class Sheet {
  /** @param {import("../assembly.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.canvas = document.createElement("canvas");
    this.pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { willReadFrequently: true }));
    this.ratio = 1;
    /** Pixels beneath the picture. */
    this.strip = 0;
    /** @type {string[]} lines beneath a film's picture */
    this.caption = [];
  }

  /** The picture alone. @param {number} ratio pixels of the sheet a CSS pixel */
  fit(ratio) {
    const { w, h } = this.stage.picture.size;
    this.ratio = ratio;
    this.strip = 0;
    this.canvas.width = Math.max(1, Math.round(w * ratio));
    this.canvas.height = Math.max(1, Math.round(h * ratio));
  }

  /**
   * The picture with the time beneath it. @param {number} width pixels; films need even sides, so it is rounded
   * @param {string} [caption] what is seen, for all of the film
   */
  fitFilm(width, caption = "") {
    const { w, h } = this.stage.picture.size,
      even = (/** @type {number} */ v) => 2 * Math.max(1, Math.round(v / 2));
    this.ratio = even(width) / w;
    this.pen.font = CAPTION_FONT;
    this.caption = breakLines(this.pen, caption, even(width) - 2 * SIDE).slice(0, MOST_LINES);
    this.strip = STRIP + LINE * this.caption.length;
    this.canvas.width = even(width);
    this.canvas.height = even(h * this.ratio + this.strip);
  }

  /** How far the film is: a line and the step. @param {number} step @param {number} share of the whole, 0 to 1 */
  drawTime(step, share) {
    const { pen, canvas, stage } = this,
      { width } = canvas,
      y = canvas.height - STRIP / 2,
      theme = stage.choices.now.theme;
    if (!theme) return;
    const said = fill(words.atStep, { step }),
      from = 12,
      to = width - 92;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = toHex(theme.line);
    pen.fillRect(from, y - 1, to - from, 2);
    pen.fillStyle = toHex(theme.ink);
    pen.fillRect(from, y - 1, (to - from) * share, 2);
    pen.beginPath();
    pen.arc(from + (to - from) * share, y, 4, 0, 2 * Math.PI);
    pen.fill();
    pen.font = "12px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(said, width - 12, y);
    pen.font = CAPTION_FONT;
    pen.textAlign = "center";
    this.caption.forEach((line, i) => pen.fillText(line, width / 2, canvas.height - this.strip + LINE * (i + 0.5)));
  }

  /** Draws the stage as it stands. @param {number} now ms @returns {HTMLCanvasElement} */
  draw(now) {
    const { stage, pen, canvas, ratio } = this,
      { size, renderer } = stage.picture,
      texts = stage.overlay.host;
    stage.writeTexts();
    renderer.resize(size.w, size.h, ratio);
    // Drawn and copied within one task: afterwards the browser may clear the canvas.
    stage.loop.draw(now);
    const height = canvas.height - this.strip;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = toHex(stage.choices.now.theme?.page ?? [1, 1, 1]);
    pen.fillRect(0, height, canvas.width, this.strip);
    pen.drawImage(renderer.canvas, 0, 0, canvas.width, height);
    pen.scale(canvas.width / size.w, height / size.h);
    const origin = texts.getBoundingClientRect();
    const written = [...texts.querySelectorAll("*")].flatMap((element) =>
      element instanceof HTMLElement ? [{ element, level: levelOf(element, texts) }] : [],
    );
    for (const { element } of written.sort((a, b) => a.level - b.level)) this.write(element, origin);
    return canvas;
  }

  /** Gives the picture its own pixels back. */
  release() {
    this.stage.picture.fit();
    this.stage.loop.invalidate();
  }

  /**
   * One element as the browser shows it: its ground, its border, its own text. @param {HTMLElement} element
   * @param {DOMRect} origin
   */
  write(element, origin) {
    if (element.closest("button") || !element.checkVisibility({ visibilityProperty: true })) return;
    const style = getComputedStyle(element),
      box = element.getBoundingClientRect();
    if (!box.width || !box.height) return;
    const { pen } = this,
      x = box.left - origin.left,
      y = box.top - origin.top;
    pen.globalAlpha = opacityOf(element, this.stage.overlay.host);
    const border = parseFloat(style.borderTopWidth) || 0;
    pen.beginPath();
    pen.roundRect(
      x,
      y,
      box.width,
      box.height,
      Math.min(
        parseFloat(style.borderTopLeftRadius) * (style.borderTopLeftRadius.endsWith("%") ? box.width / 100 : 1) || 0,
        box.height / 2,
      ),
    );
    pen.fillStyle = style.backgroundColor;
    pen.fill();
    if (border && style.borderTopStyle !== "none") {
      pen.strokeStyle = style.borderTopColor;
      pen.lineWidth = border;
      pen.stroke();
    }
    for (const node of element.childNodes)
      if (node instanceof Text && node.data.trim()) this.letter(node, style, box, origin);
    pen.globalAlpha = 1;
  }

  /**
   * @param {Text} node @param {CSSStyleDeclaration} style @param {DOMRect} box of its element @param {DOMRect} origin
   */
  letter(node, style, box, origin) {
    const { pen } = this,
      range = document.createRange();
    range.selectNodeContents(node);
    const height = Math.max(parseFloat(style.fontSize), LEAST_TEXT / this.ratio);
    pen.font = `${style.fontWeight} ${height}px ${style.fontFamily}`;
    pen.fillStyle = style.color;
    pen.textBaseline = "middle";
    const lines = linesOf(range),
      cut = style.textOverflow === "ellipsis" ? box.width : Infinity;
    for (const { text, left, top, width, height: tall } of lines) {
      // Text that was made larger grows from its middle where it stood in the middle, else from its left.
      const centred = style.textAlign === "center" || Math.abs(left + width / 2 - (box.left + box.width / 2)) < PAD;
      pen.textAlign = centred ? "center" : "left";
      pen.fillText(
        shortenTo(pen, text, cut),
        (centred ? left + width / 2 : left) - origin.left,
        top + tall / 2 - origin.top,
      );
    }
  }
}

/**
 * Words in lines; a word that is longer than a line, or a text without blanks, is broken where it must be.
 * @param {Pick<CanvasRenderingContext2D, "measureText">} pen @param {string} text @param {number} width
 */
export function breakLines(pen, text, width) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines[lines.length - 1];
    if (last !== undefined && pen.measureText(`${last} ${word}`).width <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
      continue;
    }
    let line = "";
    for (const letter of word) {
      if (line && pen.measureText(line + letter).width > width) line = (lines.push(line), "");
      line += letter;
    }
    lines.push(line);
  }
  return lines;
}

/** @param {HTMLElement} element @param {HTMLElement} top */
function opacityOf(element, top) {
  let opacity = 1;
  for (let e = /** @type {HTMLElement|null} */ (element); e && e !== top; e = e.parentElement)
    opacity *= Number(getComputedStyle(e).opacity);
  return opacity;
}

/** How far an element is raised above the others. @param {HTMLElement} element @param {HTMLElement} top */
function levelOf(element, top) {
  let level = 0;
  for (let e = /** @type {HTMLElement|null} */ (element); e && e !== top; e = e.parentElement)
    level = Math.max(level, Number(getComputedStyle(e).zIndex) || 0);
  return level;
}

/**
 * The lines into which the browser has broken a text. @param {Range} range over one text
 * @returns {{text: string, left: number, top: number, width: number, height: number}[]}
 */
function linesOf(range) {
  const node = /** @type {Text} */ (
    range.startContainer.nodeType === 3 ? range.startContainer : range.startContainer.childNodes[range.startOffset]
  );
  const whole = range.getBoundingClientRect();
  if (range.getClientRects().length < 2)
    return [{ text: node.data.trim(), left: whole.left, top: whole.top, width: whole.width, height: whole.height }];
  /** @type {{text: string, left: number, top: number, width: number, height: number}[]} */
  const lines = [];
  for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const { left, right, top, height } = range.getBoundingClientRect(),
      last = lines[lines.length - 1];
    if (last && Math.abs(last.top - top) < height / 2) {
      last.text += ` ${word}`;
      last.width = right - last.left;
    } else lines.push({ text: word, left, top, width: right - left, height });
  }
  return lines;
}

/**
 * @param {CanvasRenderingContext2D} pen @param {string} text @param {number} width
 * @returns {string} what fits, with an ellipsis
 */
function shortenTo(pen, text, width) {
  if (pen.measureText(text).width <= width + PAD) return text;
  let length = text.length;
  while (length > 1 && pen.measureText(`${text.slice(0, length)}…`).width > width) length--;
  return `${text.slice(0, length)}…`;
}
