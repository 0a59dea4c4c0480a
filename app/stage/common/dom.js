/** Making elements. Text from outside enters as text only: nothing here takes markup. */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {string} name class @param {Record<string, string>} [attributes]
 * @param {...(Node|string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, name = "", attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/**
 * Writes only what changed: a write that changes nothing still costs a layout. @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {string} name @param {string|null} value null removes it */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * A 16 x 16 line drawing. @param {string} path SVG path data of the stage's own @param {string} [colour]
 * @param {boolean} [filled]
 */
export function icon(path, colour = "currentColor", filled = false) {
  const svg = document.createElementNS(SVG, "svg"),
    line = document.createElementNS(SVG, "path");
  for (const [k, v] of Object.entries({ viewBox: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true" }))
    svg.setAttribute(k, v);
  const look = {
    d: path,
    fill: filled ? colour : "none",
    stroke: colour,
    "stroke-width": "1.5",
    "stroke-linejoin": "round",
    "stroke-linecap": "round",
  };
  for (const [k, v] of Object.entries(look)) line.setAttribute(k, v);
  svg.append(line);
  return svg;
}
