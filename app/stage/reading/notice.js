/** The sentence under the stage: what happened last, else what is left out of the picture, else what stands anyway. */
import { formatCount } from "../common/numbers.js";
import { make, setText } from "../common/dom.js";
import { fill, words } from "../words.js";

/** A number that changes from picture to picture is told to two digits: it is to be read, not to flicker. */
const DIGITS = 2;

export class Notice {
  constructor() {
    this.root = make("div", "ltv-notice", { role: "status", hidden: "" });
    /** @type {string[]} said while there is nothing newer to say */
    this.standing = [];
    /** Said beside that, once it is known: what the page's address asks for in vain. */
    this.inVain = "";
    /** What was left out of the last picture, as a sentence; "": nothing. */
    this.left = "";
  }

  /**
   * "" takes it away. @param {string} sentence @param {string} [next] name of a button @param {() => void} [act]
   */
  say(sentence, next = "", act = () => {}) {
    this.root.hidden = !sentence;
    setText(this.root, sentence);
    if (!next) return;
    const button = make("button", "ltv-plain", { type: "button" }, next);
    button.addEventListener("click", act);
    this.root.append(" ", button);
  }

  /** What stands from now on. @param {(string|false)[]} sentences */
  stand(sentences) {
    this.standing = /** @type {string[]} */ (sentences.filter(Boolean));
    this.rest();
  }

  /** Nothing new. @param {string} [simplified] what drawing has given up */
  rest(simplified = "") {
    this.say(
      [simplified && fill(words.simplified, { what: simplified }), ...this.standing, this.inVain]
        .filter(Boolean)
        .join(" "),
    );
  }

  /** Says what a picture leaves out, where that is another sentence than before.
   * @param {import("../drawing/picture.js").Picture} picture @param {number} points on it */
  tell(picture, points) {
    const left = leftOut(picture, points);
    if (left === this.left) return;
    this.left = left;
    if (left) this.say(left);
    else this.rest(picture.quality.simplified);
  }
}

/** @param {import("../drawing/picture.js").Picture} picture @param {number} points on it */
function leftOut({ share, shown, points: all }, points) {
  const first = shown.some((run) => run.frame?.rows);
  if (!first && share >= 1) return "";
  const about = first ? points : Number(points.toPrecision(DIGITS));
  return fill(first ? words.firstPoints : words.fewerPoints, { shown: formatCount(about), all: formatCount(all) });
}
