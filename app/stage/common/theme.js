/** Paper and ink: what Streamlit's theme says, or else the stage's own light and dark. */
import { luminance, parseCss, parseHex, mixRgb } from "../scene/colours.js";

/** @typedef {import("../scene/colours.js").Rgb} Rgb */
/** @typedef {{dark: boolean, page: Rgb, ink: Rgb, line: Rgb}} Theme */

/** @type {Record<"light"|"dark", Theme>} */
export const THEMES = {
  light: { dark: false, page: parseHex("#fbfbf9"), ink: parseHex("#1c1f24"), line: parseHex("#d9dadd") },
  dark: { dark: true, page: parseHex("#0f1216"), ink: parseHex("#e8eaed"), line: parseHex("#2a2f36") },
};

/**
 * The theme at an element. Streamlit's variables win over what is asked for, because the page around has that colour;
 * then the asked one; then the first painted background among the ancestors; then the system's wish.
 * @param {Element} element @param {"light"|"dark"|null|undefined} asked @returns {Theme}
 */
export function readTheme(element, asked) {
  const style = getComputedStyle(element);
  const page = parseCss(style.getPropertyValue("--st-background-color"));
  if (page) {
    const dark = luminance(page) < 0.18,
      own = THEMES[dark ? "dark" : "light"];
    const ink = parseCss(style.getPropertyValue("--st-text-color")) ?? own.ink;
    return { dark, page, ink, line: mixRgb(page, ink, dark ? 0.028 : 0.27) };
  }
  if (asked === "light" || asked === "dark") return THEMES[asked];
  const painted = paintedBehind(element);
  if (painted) return THEMES[luminance(painted) < 0.18 ? "dark" : "light"];
  return THEMES[matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"];
}

/** @param {Element} element @returns {Rgb|null} */
function paintedBehind(element) {
  /** @type {Node|null} */
  let node = element;
  while (node) {
    if (node instanceof Element) {
      const rgb = parseCss(getComputedStyle(node).backgroundColor);
      if (rgb) return rgb;
    }
    node = node.parentNode ?? (node instanceof ShadowRoot ? node.host : null);
  }
  return null;
}

/**
 * Calls back when the theme's colours change. A theme switch fires no event, but it can be made to: an invisible probe
 * wears the theme's colour with a transition, and the end of that transition is an event.
 * @param {HTMLElement} root @param {() => void} changed @returns {() => void} stops watching
 */
export function watchTheme(root, changed) {
  const probe = document.createElement("div");
  probe.className = "ltv-probe";
  probe.setAttribute("aria-hidden", "true");
  probe.addEventListener("transitionend", changed);
  root.append(probe);
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", changed);
  return () => {
    probe.remove();
    media.removeEventListener("change", changed);
  };
}

/** Whether the person's system asks for less motion. */
export const wantsCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
