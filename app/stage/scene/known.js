/** What is known of samples besides their class, by name: numbers, which make a ramp, and texts, which make categories. Pure. */

/** @typedef {import("../common/types.js").Attribute} Attribute */
/** @typedef {import("../common/types.js").RunInfo} RunInfo */
/** @typedef {import("./choices.js").ColourMode} ColourMode */

const PREFIX = "attribute:";
/** The most samples that a search puts in focus. */
const MOST_FOUND = 100000;

/** The colour mode of an attribute. @param {string} name @returns {ColourMode} */
export const modeOf = (name) => `attribute:${name}`;

/** The attribute that points are coloured by; null where it is something else. @param {string} mode a ColourMode */
export const coloured = (mode) => (mode.startsWith(PREFIX) ? mode.slice(PREFIX.length) : null);

/** @param {RunInfo|null|undefined} info @param {string|null} name @returns {Attribute|undefined} */
export const attributeOf = (info, name) =>
  name === null ? undefined : info?.attributes.find((attribute) => attribute.name === name);

/** Names of all attributes of these runs, each once, in their order. @param {{info: RunInfo|null}[]} runs */
export const attributeNames = (runs) => [
  ...new Set(runs.flatMap(({ info }) => info?.attributes.map(({ name }) => name) ?? [])),
];

/** What stands there, as a person reads it; "" for nothing. @param {Attribute} attribute @param {number} i */
export function textAt({ texts, values }, i) {
  const value = values[i];
  if (texts) return texts[value] ?? "";
  return Number.isFinite(value) ? String(Number(value.toPrecision(7))) : "";
}

/** @type {WeakMap<Attribute, {code: number, count: number}[]>} */
const counted = new WeakMap();

/** Categories from the most to the least common. @param {Attribute} attribute */
export function categories(attribute) {
  let known = counted.get(attribute);
  if (!known) {
    const counts = new Array(attribute.texts?.length ?? 0).fill(0);
    for (const code of attribute.values) if (code >= 0) counts[code]++;
    known = counts.map((count, code) => ({ code, count })).filter(({ count }) => count > 0);
    known.sort((a, b) => b.count - a.count || a.code - b.code);
    counted.set(attribute, known);
  }
  return known;
}

/** @type {WeakMap<Attribute, number>} */
const missing = new WeakMap();

/** Of how many samples nothing is known. @param {Attribute} attribute */
export function unknownIn(attribute) {
  const { values, texts } = attribute;
  let count = missing.get(attribute) ?? -1;
  if (count < 0) {
    count = 0;
    for (const value of values) if (texts ? value < 0 : !Number.isFinite(value)) count++;
    missing.set(attribute, count);
  }
  return count;
}

/**
 * Which of `steps` colours each sample wears: numbers by their share of the way from the least to the greatest, texts
 * by how common they are; -1 where nothing is known, and for texts beyond the last colour.
 * @param {Attribute} attribute @param {number} steps @returns {Int16Array}
 */
export function stepsOf(attribute, steps) {
  const { texts, values, low, high } = attribute;
  const out = new Int16Array(values.length).fill(-1);
  if (texts) {
    const place = new Int16Array(texts.length).fill(-1);
    categories(attribute)
      .slice(0, steps)
      .forEach(({ code }, i) => (place[code] = i));
    for (let i = 0; i < out.length; i++) if (values[i] >= 0) out[i] = place[values[i]];
    return out;
  }
  const scale = high > low ? steps / (high - low) : 0;
  for (let i = 0; i < out.length; i++)
    if (Number.isFinite(values[i])) out[i] = Math.min(steps - 1, Math.max(0, Math.floor((values[i] - low) * scale)));
  return out;
}

/**
 * Samples of which an attribute says what was asked for: "name: value", or a value of any that is text, in full before
 * in part.
 * @param {RunInfo} info @param {string} text @returns {number[]} indices; none where nothing was found
 */
export function findSamples(info, text) {
  const [, name, value] = /^([^:=]+)[:=](.*)$/s.exec(text) ?? [];
  const named = name === undefined ? [] : info.attributes.filter((a) => same(a.name, name));
  if (named.length) return matching(named, value);
  return matching(
    info.attributes.filter(({ texts }) => texts),
    text,
  );
}

const same = (/** @type {string} */ a, /** @type {string} */ b) => a.trim().toLowerCase() === b.trim().toLowerCase();

/** @param {Attribute[]} among @param {string} text */
function matching(among, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  for (const fits of [(/** @type {string} */ t) => t === wanted, (/** @type {string} */ t) => t.includes(wanted)]) {
    const found = among.flatMap((attribute) => indicesWhere(attribute, fits, Number(wanted)));
    if (found.length) return [...new Set(found)].slice(0, MOST_FOUND);
  }
  return [];
}

/** @param {Attribute} attribute @param {(text: string) => boolean} fits @param {number} number */
function indicesWhere({ texts, values }, fits, number) {
  const good = texts ? new Set(texts.flatMap((text, code) => (fits(text.toLowerCase()) ? [code] : []))) : null;
  const found = [];
  const asStored = Math.fround(number);
  for (let i = 0; i < values.length; i++) if (good ? good.has(values[i]) : values[i] === asStored) found.push(i);
  return found;
}
