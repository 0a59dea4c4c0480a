/** Elements of the form: a slider, a choice, a switch. Each has the name that it is read by, and shows what is set. */
import { make, setText } from "../common/dom.js";

/**
 * @typedef {object} Field
 * @property {HTMLElement} root
 * @property {(value: any) => void} write
 */
/**
 * @typedef {object} Scale   between a slider's place, 0 to 1, and its value
 * @property {(place: number) => number} value
 * @property {(value: number) => number} place
 * @property {(value: number) => string} text
 */

const STEPS = 1000;

/** @param {number} low @param {number} high @param {(value: number) => string} text @returns {Scale} */
export const linear = (low, high, text) => ({
  value: (place) => low + place * (high - low),
  place: (value) => (value - low) / (high - low),
  text,
});

/** @param {number} low above 0 @param {number} high @param {(value: number) => string} text @returns {Scale} */
export const logarithmic = (low, high, text) => ({
  value: (place) => low * (high / low) ** place,
  place: (value) => Math.log(Math.max(low, value) / low) / Math.log(high / low),
  text,
});

/** Some values, one after another. @param {number[]} values @param {(value: number) => string} text @returns {Scale} */
export const among = (values, text) => ({
  value: (place) => values[Math.round(place * (values.length - 1))],
  place: (value) => {
    const at = values.findIndex((one) => one >= value);
    return (at < 0 ? values.length - 1 : at) / (values.length - 1);
  },
  text,
});

/**
 * @param {string} name @param {string} hint @param {Scale} scale @param {(value: number) => void} changed
 * @param {number} [stops] of the slider @returns {Field}
 */
export function slider(name, hint, scale, changed, stops = STEPS) {
  const output = make("output", "ltl-value");
  const input = make("input", "ltl-range", {
    type: "range",
    min: "0",
    max: String(stops),
    step: "1",
    "aria-label": name,
  });
  const write = (/** @type {number} */ value) => {
    const at = String(Math.round(scale.place(value) * stops));
    if (input.value !== at) input.value = at;
    input.style.setProperty("--ltl-done", `${(100 * Number(at)) / stops}%`);
    input.setAttribute("aria-valuetext", scale.text(value));
    setText(output, scale.text(value));
  };
  input.addEventListener("input", () => changed(scale.value(Number(input.value) / stops)));
  const root = make("label", "ltl-field", { title: hint }, make("span", "", {}, name), output, input);
  return { root, write };
}

/**
 * @param {string} name @param {string} hint @param {[string, string][]} options value and word
 * @param {(value: string) => void} changed @returns {Field}
 */
export function choice(name, hint, options, changed) {
  const buttons = options.map(([value, word]) => {
    const button = make(
      "button",
      "ltl-segment",
      { type: "button", "aria-pressed": "false", "data-value": value },
      word,
    );
    button.addEventListener("click", () => changed(value));
    return button;
  });
  const group = make("div", "ltl-segments", { role: "group", "aria-label": name }, ...buttons);
  const write = (/** @type {string} */ value) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.value === value));
  };
  return { root: make("div", "ltl-field", { title: hint }, make("span", "", {}, name), group), write };
}

/** @param {string} name @param {string} hint @param {(value: boolean) => void} changed @returns {Field} */
export function toggle(name, hint, changed) {
  const input = make("input", "", { type: "checkbox" });
  input.addEventListener("change", () => changed(input.checked));
  return {
    root: make("label", "ltl-toggle", { title: hint }, input, make("span", "", {}, name)),
    write: (/** @type {boolean} */ value) => void (input.checked = value),
  };
}
