/**
 * The card of one sample: image, class, what the method says of it, where it stands, and its neighbours in every panel.
 */
import { readable, toHex } from "../scene/colours.js";
import { describeForce } from "../scene/forces.js";
import { make, setAttribute, setText } from "../common/dom.js";
import { Moment } from "../incoming/moments.js";
import { formatCount, formatMeasure } from "../common/numbers.js";
import { neighboursOf, sameClass } from "./neighbours.js";
import { EXTRAS, LOSS_UNIT, MOST_LOSS, UNLABELLED } from "../scene/outfit.js";
import { territoryShares } from "../scene/territory.js";
import { thumbnailOf } from "./thumbnails.js";
import { angleBetween } from "../common/vectors.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {{run: Run, index: number, x: number, y: number}} Spot  x and y within the host */

const SPLITS = ["Training", "Test", "Validation"],
  SHIFT = 16;
/** A screen reader is told of a pinned sample at most so often: its angles change with every frame. */
const SPOKEN_EVERY_MS = 2500;

/**
 * @param {Run} run @param {number} index @returns {string[]} what can be said of a sample; the first line is its class
 */
export function describePoint(run, index) {
  const { header, labels, split, ids } = /** @type {import("../common/types.js").RunInfo} */ (run.info),
    y = labels[index];
  return [
    header.class_names[y] ?? UNLABELLED,
    y < header.num_classes
      ? `${formatCount(header.counts[y] ?? 0)} training samples, rank ${y + 1} of ${header.num_classes}`
      : "",
    `${SPLITS[split[index]] ?? SPLITS[0]} sample ${ids ? ids[index] : index}`,
    describeVerdict(run, index),
    ...describePlace(run, index),
  ].filter(Boolean);
}

/**
 * What the method's own classifier says of a sample. @param {Run} run @param {number} index
 * @returns {string} "" where it has none
 */
function describeVerdict(run, index) {
  const { header, labels } = /** @type {import("../common/types.js").RunInfo} */ (run.info);
  const { predictions, confidence, loss } = /** @type {import("../common/types.js").Frame} */ (run.frame),
    guess = predictions?.[index];
  // The server's 65535 says that this sample has no prediction.
  if (guess === undefined || guess >= header.num_classes) return "";
  const sure = confidence ? `, ${formatMeasure(confidence[index] / 255, "share")} sure` : "";
  const cost = loss
    ? `, loss ${loss[index] === MOST_LOSS ? "above " : ""}${formatMeasure(loss[index] / LOSS_UNIT, "")}`
    : "";
  const word = labels[index] >= header.num_classes ? "Answered" : "Taken for";
  return `${guess === labels[index] ? "Recognised" : `${word} ${header.class_names[guess]}`}${sure}${cost}`;
}

/** Angles to the centre and the target of its class. @param {Run} run @param {number} index @returns {string[]} */
function describePlace(run, index) {
  const {
    centres,
    landmarks,
    target_index: index_,
    projection,
  } = /** @type {import("../common/types.js").Frame} */ (run.frame).header;
  const y = /** @type {import("../common/types.js").RunInfo} */ (run.info).labels[index],
    p = run.pointAt(index, 1);
  const centre = centres[y],
    target = index_ && landmarks?.targets?.[index_[y]];
  const parts = [];
  if (centre) parts.push(`${formatMeasure(angleBetween(p, centre), "degrees")} from the centre of its class`);
  if (target) parts.push(`${formatMeasure(angleBetween(p, target), "degrees")} from its target`);
  if (!parts.length) return [];
  return projection ? [parts.join(", "), "These are angles in the picture, not in the embedding."] : [parts.join(", ")];
}

/** @param {Run} run @param {number} c @returns {string[]} */
export function describeClass(run, c) {
  const { header, split, labels } = /** @type {import("../common/types.js").RunInfo} */ (run.info);
  const group = ["Head", "Medium", "Tail"][header.groups?.[c]] ?? "";
  const share = territoryShares(run.frame?.header.centres ?? [])[c] ?? 0,
    all = header.counts.reduce((sum, n) => sum + n, 0);
  const tests = labels.reduce((sum, y, i) => sum + (y === c && split[i] === 1 ? 1 : 0), 0);
  return [
    header.class_names[c],
    `Centre of the class${group ? `, ${group.toLowerCase()}` : ""}`,
    `${formatCount(header.counts[c] ?? 0)} training samples, rank ${c + 1} of ${header.num_classes}`,
    `${tests} test samples shown`,
    `Territory: ${formatMeasure(share, "share")} of the sphere, ${formatMeasure((header.counts[c] ?? 0) / (all || 1), "share")} of the data`,
    describeForce(run, c),
  ].filter(Boolean);
}

export class Card {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.image = make("img", "ltv-thumb", { alt: "", hidden: "" });
    this.lines = make("div", "ltv-lines");
    this.near = make("div", "ltv-near", { hidden: "" });
    this.root = make(
      "div",
      "ltv-card",
      { "data-testid": "ltviz-hover", hidden: "" },
      this.image,
      this.lines,
      this.near,
    );
    this.spoken = make("div", "ltv-hidden", { role: "status", "aria-live": "polite" });
    this.spokenAt = -Infinity;
    this.host = host;
    host.append(this.root, this.spoken);
  }

  /**
   * @param {string[]} lines @param {string|null} image @param {number} x @param {number} y within the host
   * @param {boolean} [pinned]
   */
  show(lines, image, x, y, pinned = false) {
    while (this.lines.children.length > lines.length) this.lines.lastChild?.remove();
    lines.forEach((line, i) => setText(this.lines.children[i] ?? this.lines.appendChild(make("div")), line));
    this.image.hidden = !image;
    if (image) setAttribute(this.image, "src", image);
    setAttribute(this.root, "data-pinned", pinned ? "true" : null);
    this.near.hidden = !pinned;
    this.root.hidden = false;
    const w = this.root.offsetWidth,
      h = this.root.offsetHeight;
    const left = x + SHIFT + w > this.host.clientWidth ? Math.max(0, x - SHIFT - w) : x + SHIFT;
    const top = Math.min(Math.max(0, y - h / 2), Math.max(0, this.host.clientHeight - h));
    this.root.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  /** @param {Spot} spot */
  showPoint({ run, index, x, y }) {
    this.show(
      describePoint(run, index),
      thumbnailOf(/** @type {import("../common/types.js").RunInfo} */ (run.info), index),
      x,
      y,
    );
  }

  /**
   * The same sample's neighbours stand side by side, panel by panel. @param {Spot & {id: number}} pin
   * @param {Run[]} panels
   */
  showPinned({ run, index, id, x, y }, panels) {
    const info = /** @type {import("../common/types.js").RunInfo} */ (run.info),
      lines = describePoint(run, index);
    this.writeNear(panels, id);
    this.show(lines, thumbnailOf(info, index), x, y, true);
    this.speak(
      [
        ...lines,
        ...[...this.near.querySelectorAll(".ltv-nearrow")].map((row) => row.getAttribute("aria-label") ?? ""),
      ].join(". "),
    );
  }

  /** @param {Run[]} panels @param {number} id */
  writeNear(panels, id) {
    const rows = panels.flatMap((run) => {
      const index = run.indexOf(id);
      return index !== null && run.info && run.frame && index < run.frame.header.n
        ? [{ run, info: run.info, index, found: neighboursOf(run, index) }]
        : [];
    });
    // Rebuilt only where a neighbour has changed: this is asked at every picture.
    const key = JSON.stringify(rows.map(({ run, index, found }) => [run.id, run.title, index, found, run.colours[0]]));
    if (this.near.dataset.key === key) return;
    this.near.dataset.key = key;
    this.near.replaceChildren(
      make(
        "div",
        "ltv-neartitle",
        {},
        rows.some(({ run }) => run.frame?.header.projection) ? "Nearest in each picture" : "Nearest in each panel",
      ),
      ...rows.map(({ run, info, index, found }) => {
        const names = info.header.class_names,
          own = info.labels[index] < names.length ? sameClass(found, info.labels, index) : null;
        // Neighbours without a label are shown, and are neither kin nor strangers.
        const known = found.filter((i) => info.labels[i] < names.length).length;
        const kin =
          own === null
            ? `${found.length} neighbours`
            : `${own} of ${known} ${known < found.length ? "labelled " : ""}neighbours are of its class`;
        const title = run instanceof Moment ? `${run.title}, step ${run.step}` : run.title;
        return make(
          "div",
          "ltv-nearrow",
          { "aria-label": `${title}: ${kin}, ${tally(found.map((i) => names[info.labels[i]] ?? UNLABELLED))}` },
          make("span", "ltv-nearname", { title }, title),
          make("span", "ltv-nearest", {}, ...found.map((i) => this.makeChip(run, info, i, index))),
          ...(own === null ? [] : [make("b", "", { title: "Of its own class" }, `${own}/${known}`)]),
        );
      }),
    );
  }

  /**
   * One neighbour: its image or its class's name, in the colour of its class. @param {Run} run
   * @param {import("../common/types.js").RunInfo} info @param {number} i @param {number} of
   */
  makeChip(run, info, i, of) {
    const y = info.labels[i],
      name = info.header.class_names[y] ?? UNLABELLED,
      image = thumbnailOf(info, i),
      own = y === info.labels[of] && y < run.numClasses;
    const chip = make(
      "span",
      "ltv-neighbour",
      { title: `${name}, sample ${info.ids ? info.ids[i] : i}`, "data-own": String(own) },
      ...(image ? [make("img", "", { src: image, alt: "" })] : []),
      make("i", "", {}, name === UNLABELLED ? "–" : [...name].slice(0, image ? 2 : 3).join("")),
    );
    const colour = run.colours[y] ?? run.extras[EXTRAS.indexOf(UNLABELLED)];
    if (colour) {
      chip.style.setProperty("--ltv-class", toHex(colour));
      chip.style.setProperty("--ltv-on-class", toHex(readable([1, 1, 1], colour, 4.5)));
    }
    return chip;
  }

  /** @param {string} text */
  speak(text) {
    const now = performance.now();
    if (now - this.spokenAt < SPOKEN_EVERY_MS || this.spoken.textContent === text) return;
    this.spokenAt = now;
    setText(this.spoken, text);
  }

  hide() {
    this.root.hidden = true;
    if (this.spoken.textContent) setText(this.spoken, "");
    this.spokenAt = -Infinity;
  }
}

/** How often each name comes, most often first: "5 × 8, 3 × 3". @param {string[]} names */
export function tally(names) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${count} × ${name}`)
    .join(", ");
}
