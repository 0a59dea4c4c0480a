/** The first run as a small sphere that turns, with only its rare classes in colour. */
import { make } from "../common/dom.js";
import { wantsCalm } from "../common/theme.js";
import { toHex } from "../common/colours.js";
import { PLACE_SCALE } from "../common/messages.js";

/** @typedef {import("../assembly.js").Stage} Stage */

const SIZE = 76,
  RADIUS = 34,
  MOST_DOTS = 500,
  EVERY_MS = 80,
  TURN = 0.035,
  TAIL = 2;

export class LittleSphere {
  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.canvas = make("canvas", "ltw-sphere", { "aria-hidden": "true" });
    this.yaw = 0.6;
    /** @type {ReturnType<typeof setInterval>|undefined} */
    this.timer = undefined;
  }

  begin() {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    this.canvas.width = this.canvas.height = SIZE * ratio;
    this.timer = setInterval(() => this.canvas.isConnected && !document.hidden && this.draw(ratio), EVERY_MS);
  }

  end() {
    clearInterval(this.timer);
  }

  /** @param {number} ratio pixels of the screen for one of the page */
  draw(ratio) {
    const pen = this.canvas.getContext("2d"),
      run = this.stage.shown.find(({ frame, info }) => frame && info),
      { theme, ramp } = this.stage.choices.now;
    if (!pen || !run?.frame || !run.info || !theme) return;
    const { xyz } = run.frame,
      { labels, header } = run.info;
    // Who wants no motion sees the dots move as the run does, and the sphere stand still.
    if (!wantsCalm()) this.yaw += TURN;
    const cos = Math.cos(this.yaw),
      sin = Math.sin(this.yaw),
      stride = Math.max(1, Math.ceil(labels.length / MOST_DOTS)),
      tail = ramp[ramp.length - 1];
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, SIZE, SIZE);
    pen.beginPath();
    pen.arc(SIZE / 2, SIZE / 2, RADIUS, 0, 2 * Math.PI);
    pen.strokeStyle = toHex(theme.line);
    pen.stroke();
    // Far dots and near ones, the rare classes above the others: each kind is one path, for a pen without a card is slow.
    for (const lit of [false, true])
      for (const near of [false, true]) {
        pen.fillStyle = lit ? tail : toHex(theme.ink);
        pen.globalAlpha = (near ? 1 : 0.35) * (lit ? 1 : 0.28);
        const size = lit ? 1.7 : 1.1;
        pen.beginPath();
        for (let i = 0; i < labels.length; i += lit ? 1 : stride) {
          if ((header.groups[labels[i]] === TAIL) !== lit) continue;
          const [x, y, z] = [xyz[3 * i] / PLACE_SCALE, xyz[3 * i + 1] / PLACE_SCALE, xyz[3 * i + 2] / PLACE_SCALE];
          if (z * cos - x * sin > 0 !== near) continue;
          const [h, v] = [SIZE / 2 + RADIUS * (x * cos + z * sin), SIZE / 2 - RADIUS * y];
          pen.moveTo(h + size, v);
          pen.arc(h, v, size, 0, 2 * Math.PI);
        }
        pen.fill();
      }
    pen.globalAlpha = 1;
  }
}
