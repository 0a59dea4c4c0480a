/** The card of one sample: image, class, what the method says of it, and where it stands. */
import { make, setAttribute, setText } from "./dom.js";
import { formatCount, formatMeasure } from "./numbers.js";
import { NEIGHBOURS, nearestSamples, sameClass } from "./neighbours.js";
import { territoryShares } from "./territory.js";
import { thumbnailOf } from "./thumbnails.js";
import { angleBetween } from "./vectors.js";

/** @typedef {import("./runs.js").Run} Run */

/** @param {Run} run @param {number} index @returns {string[]} what can be said of a sample; the first line is its class */
export function describePoint(run, index) {
  const { header, labels, split, ids } = /** @type {import("./types.js").RunInfo} */ (run.info);
  const frame = /** @type {import("./types.js").Frame} */ (run.frame), y = labels[index];
  const lines = [header.class_names[y] ?? `class ${y}`];
  lines.push(`${formatCount(header.counts[y] ?? 0)} training samples, rank ${y + 1} of ${header.num_classes}`);
  lines.push(`${["Training", "Test", "Validation"][split[index]]} sample ${ids ? ids[index] : index}`);
  if (frame.predictions) {
    const guess = frame.predictions[index];
    // The server's 65535 says that this sample has no prediction.
    if (guess < header.num_classes) lines.push(guess === y ? "Recognised" : `Taken for ${header.class_names[guess]}`);
  }
  const { centres, landmarks, target_index: index_, projection } = frame.header, p = run.pointAt(index, 1);
  // In a projection an angle on the picture is not the angle in the embedding, so none is given.
  if (!projection && centres[y]) lines.push(`${formatMeasure(angleBetween(p, /** @type {number[]} */ (centres[y])), "degrees")} from the centre of its class`);
  const target = index_ && landmarks?.targets?.[index_[y]];
  if (!projection && target) lines.push(`${formatMeasure(angleBetween(p, target), "degrees")} from its target`);
  return lines;
}

/** @param {Run} run @param {number} c @returns {string[]} */
export function describeClass(run, c) {
  const { header, split, labels } = /** @type {import("./types.js").RunInfo} */ (run.info);
  const group = ["Head", "Medium", "Tail"][header.groups?.[c]] ?? "";
  const share = territoryShares(run.frame?.header.centres ?? [])[c] ?? 0, all = header.counts.reduce((sum, n) => sum + n, 0);
  const tests = labels.reduce((sum, y, i) => sum + (y === c && split[i] === 1 ? 1 : 0), 0);
  return [header.class_names[c], `Centre of the class${group ? `, ${group.toLowerCase()}` : ""}`, `${formatCount(header.counts[c] ?? 0)} training samples, rank ${c + 1} of ${header.num_classes}`, `${tests} test samples shown`,
    `Territory: ${formatMeasure(share, "share")} of the sphere, ${formatMeasure((header.counts[c] ?? 0) / (all || 1), "share")} of the data`];
}

export class Card {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.image = make("img", "ltv-thumb", { alt: "", hidden: "" });
    this.lines = make("div", "ltv-lines");
    this.root = make("div", "ltv-card", { "data-testid": "ltviz-hover", role: "status", hidden: "" }, this.image, this.lines);
    this.host = host;
    host.append(this.root);
  }

  /** @param {string[]} lines @param {string|null} image @param {number} x @param {number} y within the host @param {boolean} pinned */
  show(lines, image, x, y, pinned) {
    while (this.lines.children.length > lines.length) this.lines.lastChild?.remove();
    lines.forEach((line, i) => setText(this.lines.children[i] ?? this.lines.appendChild(make("div")), line));
    this.image.hidden = !image;
    if (image) setAttribute(this.image, "src", image);
    setAttribute(this.root, "data-pinned", pinned ? "true" : null);
    this.root.hidden = false;
    const w = this.root.offsetWidth, h = this.root.offsetHeight;
    const left = x + 16 + w > this.host.clientWidth ? Math.max(0, x - 16 - w) : x + 16;
    const top = Math.min(Math.max(0, y - h / 2), Math.max(0, this.host.clientHeight - h));
    this.root.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  /** @param {Run} run @param {number} index @param {number} x @param {number} y @param {boolean} pinned */
  showPoint(run, index, x, y, pinned) {
    const info = /** @type {import("./types.js").RunInfo} */ (run.info);
    const lines = describePoint(run, index), frame = run.frame;
    if (pinned && frame) {
      const near = nearestSamples(frame.xyz, index, NEIGHBOURS);
      lines.push(`${sameClass(near, info.labels, index)} of its ${near.length} nearest are of its class`);
    }
    this.show(lines, thumbnailOf(info, index), x, y, pinned);
  }

  hide() {
    this.root.hidden = true;
  }
}
