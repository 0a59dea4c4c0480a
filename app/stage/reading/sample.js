/**
 * The card of one sample: image, class, what the method says of it, where it stands, and its neighbours in every panel.
 */
import { CONFIDENCE_SCALE, LOSS_SCALE } from "../common/messages.js";
import { readable, toHex } from "../common/colours.js";
import { describeForce } from "../scene/forces.js";
import { make, setAttribute, setText } from "../common/dom.js";
import { Moment } from "../incoming/moments.js";
import { alike } from "../scene/choices.js";
import { textAt } from "../scene/known.js";
import { fill, words } from "../words.js";
import { formatCount, formatMeasure } from "../common/numbers.js";
import { neighboursOf, sameClass } from "../scene/neighbours.js";
import { isAbsent, MOST_LOSS, UNLABELLED } from "../scene/attributes.js";
import { territoryShares } from "../scene/territory.js";
import { thumbnailOf } from "./thumbnails.js";
import { angleBetween } from "../common/vectors.js";

/** @typedef {import("../incoming/runs.js").Run} Run */
/** @typedef {import("../common/types.js").RunInfo} RunInfo */
/**
 * @typedef {object} Row   a pinned sample in one panel, and its neighbours there
 * @property {Run} run
 * @property {import("../common/types.js").RunInfo} info
 * @property {number} index
 * @property {number[]} found
 * @property {string} title
 * @property {import("../common/colours.js").Rgb[]} colours
 */
/** @typedef {{run: Run, index: number, x: number, y: number}} Spot  x and y within the host */

const SHIFT = 16;
/** Attributes that a card has room for, and letters of each. */
const MOST_ATTRIBUTES = 8;
const LONGEST_VALUE = 120;
/** A screen reader is told of a pinned sample at most so often: its angles change with every frame. */
const SPOKEN_EVERY_MS = 2500;

/** @param {import("../common/types.js").RunInfo} info @param {number} c */
const rankOf = ({ header }, c) =>
  fill(words.samplesAndRank, { count: formatCount(header.counts[c] ?? 0), rank: c + 1, classes: header.num_classes });

/**
 * @param {Run} run @param {number} index @returns {string[]} what can be said of a sample; the first line is its class
 */
export function describePoint(run, index) {
  const info = /** @type {import("../common/types.js").RunInfo} */ (run.info);
  const { header, labels, split, ids } = info;
  const y = labels[index];
  return [
    header.class_names[y] ?? words.unlabelledSample,
    y < header.num_classes ? rankOf(info, y) : "",
    fill(words.splits[split[index]] ?? words.splits[0], { id: ids ? ids[index] : index }),
    ...(isAbsent(run.frame, index) ? [words.absent] : [describeVerdict(run, index), ...describePlace(run, index)]),
    ...describeAttributes(info, index),
  ].filter(Boolean);
}

/** What else is known of a sample, in the words of its data. @param {RunInfo} info @param {number} index */
function describeAttributes({ attributes }, index) {
  const said = attributes.flatMap((attribute) => {
    const value = textAt(attribute, index);
    const shown = value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value;
    return value ? [fill(words.attributeIs, { name: attribute.name, value: shown })] : [];
  });
  const more = said.length - MOST_ATTRIBUTES;
  return more > 0 ? [...said.slice(0, MOST_ATTRIBUTES), fill(words.attributesMore, { count: more })] : said;
}

/**
 * What the method's own classifier says of a sample. @param {Run} run @param {number} index
 * @returns {string} "" where it has none
 */
function describeVerdict(run, index) {
  const { header, labels } = /** @type {import("../common/types.js").RunInfo} */ (run.info);
  const { predictions, confidence, loss } = /** @type {import("../common/types.js").Frame} */ (run.frame);
  const guess = predictions?.[index];
  // The server's 65535 says that this sample has no prediction.
  if (guess === undefined || guess >= header.num_classes) return "";
  const sentence = labels[index] >= header.num_classes ? words.answered : words.takenFor;
  const said = [guess === labels[index] ? words.recognised : fill(sentence, { name: header.class_names[guess] })];
  if (confidence) said.push(fill(words.sure, { share: formatMeasure(confidence[index] / CONFIDENCE_SCALE, "share") }));
  if (loss) {
    const sentence = loss[index] === MOST_LOSS ? words.lossAbove : words.lossIs;
    said.push(fill(sentence, { loss: formatMeasure(loss[index] / LOSS_SCALE, "") }));
  }
  return said.join(", ");
}

/** Angles to the centre and the target of its class. @param {Run} run @param {number} index @returns {string[]} */
function describePlace(run, index) {
  const { header } = /** @type {import("../common/types.js").Frame} */ (run.frame);
  const y = /** @type {import("../common/types.js").RunInfo} */ (run.info).labels[index];
  const p = run.pointAt(index, 1);
  const centre = header.centres[y];
  const target = header.target_index && header.landmarks?.targets?.[header.target_index[y]];
  const angle = (/** @type {ArrayLike<number>} */ to) => formatMeasure(angleBetween(p, to), "degrees");
  const said = [];
  if (centre) said.push(fill(words.fromCentre, { angle: angle(centre) }));
  if (target) said.push(fill(words.fromTarget, { angle: angle(target) }));
  if (!said.length) return [];
  return header.projection ? [said.join(", "), words.pictureAngles] : [said.join(", ")];
}

/** @param {Run} run @param {number} c @returns {string[]} */
export function describeClass(run, c) {
  const info = /** @type {import("../common/types.js").RunInfo} */ (run.info);
  const { header, split, labels } = info;
  const group = words.groups[header.groups?.[c]];
  const share = territoryShares(run.frame?.header.centres ?? [])[c] ?? 0;
  const all = header.counts.reduce((sum, n) => sum + n, 0);
  const tests = labels.reduce((sum, y, i) => sum + (y === c && split[i] === 1 ? 1 : 0), 0);
  const shares = {
    share: formatMeasure(share, "share"),
    data: formatMeasure((header.counts[c] ?? 0) / (all || 1), "share"),
  };
  return [
    header.class_names[c],
    group ? fill(words.classCentreIn, { group }) : words.classCentre,
    rankOf(info, c),
    fill(words.testsShown, { count: tests }),
    fill(words.territoryIs, shares),
    run.tellsApart ? fill(words.centreOf, { samples: words.samplesOf.training }) : "",
    describeForce(run, c),
  ].filter(Boolean);
}

export class SampleNote {
  /** @param {HTMLElement} host @param {import("./pulled.js").PulledNote} pulled */
  constructor(host, pulled) {
    this.pulled = pulled;
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
      pulled.root,
    );
    this.spoken = make("div", "ltv-hidden", { role: "status", "aria-live": "polite" });
    this.spokenAt = -Infinity;
    /** What is shown next has a ribbon. */
    this.moved = false;
    /** Neighbours as they stand there. @type {Row[]} */
    this.rows = [];
    this.host = host;
    host.append(this.root, this.spoken);
  }

  /**
   * @param {string[]} lines @param {string|null} image @param {number} x @param {number} y within the host
   * @param {boolean} [pinned]
   */
  show(lines, image, x, y, pinned = false) {
    if (!this.moved) this.pulled.hide();
    this.moved = false;
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

  /** The card of a class, with who moved it. @param {Run} run @param {number} c @param {number} x @param {number} y */
  showClass(run, c, x, y) {
    this.tellMoved(run, { rank: c });
    this.show(describeClass(run, c), null, x, y);
  }

  /** Who moved what the card is of; a moment that was kept has no such story. @param {Run} run
   * @param {import("./pulled.js").Whose} whose */
  tellMoved(run, whose) {
    this.moved = !(run instanceof Moment);
    if (this.moved) this.pulled.show(run, whose);
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
    this.tellMoved(run, { row: index });
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
      const there = index !== null && run.frame && index < run.frame.header.n && !isAbsent(run.frame, index);
      return there && run.info
        ? [{ run, info: run.info, index, found: neighboursOf(run, index), title: run.title, colours: run.colours }]
        : [];
    });
    // Rebuilt only where a neighbour has changed: this is asked at every picture.
    const same = (/** @type {Row} */ a, /** @type {Row|undefined} */ b) =>
      b !== undefined &&
      a.run === b.run &&
      a.info === b.info &&
      a.title === b.title &&
      a.colours === b.colours &&
      a.index === b.index &&
      alike(a.found, b.found);
    if (rows.length === this.rows.length && rows.every((row, i) => same(row, this.rows[i]))) return;
    this.rows = rows;
    const projected = rows.some(({ run }) => run.frame?.header.projection);
    const title = make("div", "ltv-neartitle", {}, projected ? words.nearestProjected : words.nearest);
    this.near.replaceChildren(...(rows.length ? [title] : []), ...rows.map((row) => this.makeRow(row)));
  }

  /** @param {Row} row */
  makeRow({ run, info, index, found }) {
    const names = info.header.class_names;
    const own = info.labels[index] < names.length ? sameClass(found, info.labels, index) : null;
    // Neighbours without a label are shown, and are neither kin nor strangers.
    const known = found.filter((i) => info.labels[i] < names.length).length;
    const sentence = own === null ? words.neighbours : known < found.length ? words.kinLabelled : words.kin;
    const kin = fill(sentence, { own, known, count: found.length });
    const title = run instanceof Moment ? fill(words.momentTitle, { title: run.title, step: run.step }) : run.title;
    const listed = countNames(found.map((i) => names[info.labels[i]] ?? words.unlabelledSample));
    return make(
      "div",
      "ltv-nearrow",
      { "aria-label": fill(words.neighbourRow, { title, kin, names: listed }) },
      make("span", "ltv-nearname", { title }, title),
      make("span", "ltv-nearest", {}, ...found.map((i) => this.makeChip(run, info, i, index))),
      ...(own === null ? [] : [make("b", "", { title: words.ownClass }, `${own}/${known}`)]),
    );
  }

  /**
   * One neighbour: its image or its class's name, in the colour of its class. @param {Run} run
   * @param {import("../common/types.js").RunInfo} info @param {number} i @param {number} of
   */
  makeChip(run, info, i, of) {
    const y = info.labels[i];
    const called = info.header.class_names[y];
    const name = called ?? words.unlabelledSample;
    const image = thumbnailOf(info, i);
    const own = y === info.labels[of] && y < run.numClasses;
    const letters = called === undefined ? "–" : [...called].slice(0, image ? 2 : 3).join("");
    const title = fill(words.nameAndSample, { name, id: info.ids ? info.ids[i] : i });
    const picture = image ? [make("img", "", { src: image, alt: "" })] : [];
    const chip = make(
      "span",
      "ltv-neighbour",
      { title, "data-own": String(own) },
      ...picture,
      make("i", "", {}, letters),
    );
    const colour = run.colours[y] ?? run.extras[UNLABELLED];
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
    this.pulled.hide();
    if (this.spoken.textContent) setText(this.spoken, "");
    this.spokenAt = -Infinity;
  }
}

/** How often each name comes, most often first: "5 × 8, 3 × 3". @param {string[]} names */
export function countNames(names) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => fill(words.howMany, { name, count }))
    .join(", ");
}
