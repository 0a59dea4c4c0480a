/**
 * Colours of classes: an ordered ramp from head to tail, or a categorical set; readable on the page they stand on.
 * Pure.
 */

/** @typedef {[number, number, number]} Rgb  0 to 1, sRGB */

/** Dark blue, teal, gold, vermilion: stands in while the app sends no ramp. */
export const RAMP = ["#1f3a8a", "#1d5f9a", "#1b8391", "#3aa17a", "#86b354", "#d1b23a", "#eda12e", "#ee7f2d", "#e35a2c"];
/** Okabe and Ito (2008), without black and white, and without grey, which samples without a label wear. */
export const CATEGORICAL = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"];

/** @param {string} hex #rrggbb or #rgb @returns {Rgb} */
export function parseHex(hex) {
  const h = /^#[0-9a-f]{3}$/i.test(hex) ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex;
  const m = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i.exec(h);
  return m ? [parseInt(m[1], 16) / 255, parseInt(m[2], 16) / 255, parseInt(m[3], 16) / 255] : [0.5, 0.5, 0.5];
}

/**
 * @param {string} css "#rrggbb" or what getComputedStyle gives: rgb(…), rgba(…)
 * @returns {Rgb|null} null: transparent or unknown
 */
export function parseCss(css) {
  const text = css.trim();
  if (text.startsWith("#")) return parseHex(text);
  const m = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)(?:[\s,/]+([\d.]+))?/.exec(text);
  if (!m || (m[4] !== undefined && Number(m[4]) < 0.5)) return null;
  return [Number(m[1]) / 255, Number(m[2]) / 255, Number(m[3]) / 255];
}

/** @param {ArrayLike<number>} rgb @returns {string} #rrggbb */
export const toHex = (rgb) =>
  "#" +
  [0, 1, 2]
    .map((i) =>
      Math.round(Math.min(1, Math.max(0, rgb[i])) * 255)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("");

const linear = (/** @type {number} */ v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const gamma = (/** @type {number} */ v) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);

/** Relative luminance of WCAG. @param {Rgb} rgb */
export const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);

/** @param {Rgb} a @param {Rgb} b @param {number} k @returns {Rgb} mixed in linear light */
export function mixRgb(a, b, k) {
  const mix = (/** @type {number} */ i) => gamma(linear(a[i]) * (1 - k) + linear(b[i]) * k);
  return [mix(0), mix(1), mix(2)];
}

/** WCAG contrast, 1 to 21. @param {Rgb} a @param {Rgb} b */
export function contrast(a, b) {
  const la = luminance(a),
    lb = luminance(b);
  return (Math.max(la, lb) + 0.05) / (Math.min(la, lb) + 0.05);
}

/**
 * The same hue, moved towards white (on a dark page) or black until it stands out enough.
 * @param {Rgb} rgb @param {Rgb} page @param {number} least contrast to reach @returns {Rgb}
 */
export function readable(rgb, page, least) {
  const towards = /** @type {Rgb} */ (luminance(page) < 0.18 ? [1, 1, 1] : [0, 0, 0]);
  for (let k = 0; k <= 1; k += 0.04) {
    const c = mixRgb(rgb, towards, k);
    if (contrast(c, page) >= least) return c;
  }
  return towards;
}

/**
 * So many colours that are seen to be of one family, the first as it is: each next one is lighter or darker by turns, and
 * a little on around the circle of hues. @param {string} hex @param {number} n @returns {string[]} #rrggbb
 */
export function shades(hex, n) {
  const rgb = parseHex(hex),
    high = Math.max(...rgb),
    low = Math.min(...rgb),
    size = high - low || 1;
  const at = rgb.indexOf(high),
    [, next, after] = [0, 1, 2].map((i) => rgb[(at + i) % 3]);
  const hue = 120 * at + (60 * (next - after)) / size,
    saturation = high - low ? size / (1 - Math.abs(high + low - 1)) : 0;
  return Array.from({ length: n }, (_, i) => {
    if (!i) return hex;
    const turn = Math.ceil(i / 2),
      side = i % 2 ? 1 : -1;
    const light = Math.min(0.72, Math.max(0.33, (high + low) / 2 + side * (0.1 + 0.06 * turn)));
    const chroma = saturation * (1 - Math.abs(2 * light - 1));
    return toHex([0, 8, 4].map((k) => ringAt(hue + side * turn * 26, k, light, chroma)));
  });
}

/** One channel of a colour by hue, lightness and chroma. @param {number} hue degrees @param {number} k
 * @param {number} light @param {number} chroma */
function ringAt(hue, k, light, chroma) {
  const place = (k + (hue + 720) / 30) % 12;
  return light - (chroma / 2) * Math.max(-1, Math.min(place - 3, 9 - place, 1));
}

/** Colour at a share of the way along a ramp. @param {string[]} ramp @param {number} t 0 to 1 @returns {Rgb} */
export function rampAt(ramp, t) {
  const at = Math.min(1, Math.max(0, t)) * (ramp.length - 1),
    i = Math.min(ramp.length - 2, Math.floor(at));
  return ramp.length === 1 ? parseHex(ramp[0]) : mixRgb(parseHex(ramp[i]), parseHex(ramp[i + 1]), at - i);
}

/**
 * Contrast of a disc with its page: enough to see it, also on the far side, which on a dark page sinks into the dark.
 */
const DISC_CONTRAST = { light: 1.9, dark: 3.2 };

/**
 * @param {number} numClasses @param {"ramp"|"categorical"|"groups"} mode
 * @param {{ramp: string[], categorical: string[], page: Rgb, groups: number[]}} look
 * @returns {Rgb[]} one colour a class, head first
 */
export function classColours(numClasses, mode, { ramp, categorical, page, groups }) {
  const least = DISC_CONTRAST[luminance(page) < 0.18 ? "dark" : "light"];
  return Array.from({ length: numClasses }, (_, c) => {
    const t = mode === "groups" ? (groups[c] ?? 0) / 2 : numClasses > 1 ? c / (numClasses - 1) : 0;
    const rgb = mode === "categorical" ? parseHex(categorical[c % categorical.length]) : rampAt(ramp, t);
    return readable(rgb, page, least);
  });
}

/**
 * Samples without a label: a grey that no class wears, quiet on either page. The same as in the app's other figures.
 */
const UNLABELLED = { light: "#9a9fa6", dark: "#8b9098" };
/** Right (teal) and wrong (red), training (blue), test (gold), validation (violet), unknown (grey). */
const EXTRA = ["#2a9d8f", "#d1495b", "#6c8ebf", "#e0a030", "#9467bd", "#8a8f98"];

/** @param {Rgb} page @returns {Rgb[]} in the order of EXTRAS in attributes.js */
export const extraColours = (page) =>
  [...EXTRA, UNLABELLED[luminance(page) < 0.18 ? "dark" : "light"]].map((hex) =>
    readable(parseHex(hex), page, DISC_CONTRAST.light),
  );

/** What is strong stands out from the page: on paper low is pale and high is dark, at night the other way round. */
const VALUES = {
  confidence: {
    light: ["#8fbfa0", "#2f8f8b", "#1f5a8c", "#14213d"],
    dark: ["#3f6a9c", "#2f98a0", "#74c69d", "#e9f5b8"],
  },
  loss: { light: ["#d9b45b", "#d9822b", "#b5305a", "#4a0f4d"], dark: ["#7d5fb2", "#d0557f", "#f08a4b", "#fff0a8"] },
};

/**
 * A sequential ramp, even in the dark and for every kind of colour blindness, for its lightness only rises or only
 * falls.
 * @param {"confidence"|"loss"} kind @param {Rgb} page @param {number} steps @returns {Rgb[]} from low to high */
export function valueRamp(kind, page, steps) {
  const theme = luminance(page) < 0.18 ? "dark" : "light";
  return Array.from({ length: steps }, (_, i) =>
    readable(rampAt(VALUES[kind][theme], i / (steps - 1)), page, DISC_CONTRAST[theme]),
  );
}
