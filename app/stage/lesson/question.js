/** A question of a lesson on the page: choices or a number, and beside them later what the recording answers. */
import { make } from "../common/dom.js";
import { barsOf } from "./verdict.js";

/** @typedef {import("./verdict.js").Ask} Ask */
/** @typedef {import("./verdict.js").Said} Said */
/** @typedef {import("./verdict.js").LessonWords} LessonWords */

/** So many letters of all options together stand in one line; letters of a name that stands in one line with its bar. */
const INLINE = 28,
  SHORT = 18,
  LONGEST_BAR = 55;

/**
 * @param {Ask} ask @param {string} name of its own @param {Said|null} said what was answered, once it counts
 * @param {(given: Said|null) => void} answered
 * @returns {HTMLElement}
 */
export function drawQuestion(ask, name, said, answered) {
  return ask.options.length ? drawChoices(ask, name, said, answered) : drawNumber(ask, name, said, answered);
}

/** @type {typeof drawQuestion} */
function drawChoices(ask, name, said, answered) {
  const title = make("p", "ltn-question", { id: `${name}-title` }, ask.question);
  const group = make("div", "ltn-choices", { role: "radiogroup", "aria-labelledby": title.id });
  group.classList.toggle("ltn-inline", ask.options.join("").length <= INLINE);
  for (const option of ask.options) {
    const radio = make("input", "", { type: "radio", name, value: option });
    radio.checked = option === said;
    radio.disabled = said !== null;
    radio.addEventListener("change", () => answered(option));
    group.append(make("label", "", {}, radio, make("span", "", {}, option)));
  }
  return make("div", "ltn-ask", {}, title, group);
}

/** @type {typeof drawQuestion} */
function drawNumber(ask, name, said, answered) {
  const [low, high] = (ask.span ?? [0, 0]).map(String);
  const field = make("input", "", {
    id: name,
    type: "number",
    inputmode: "decimal",
    step: "any",
    min: low,
    max: high,
    placeholder: ask.bounds ?? "",
  });
  field.value = said === null ? String(ask.start ?? "") : String(said);
  field.disabled = said !== null;
  const read = () => {
    const number = field.value === "" ? NaN : Number(field.value);
    return number >= Number(low) && number <= Number(high) ? number : null;
  };
  field.addEventListener("input", () => answered(read()));
  if (said === null && read() !== null) answered(read());
  return make("div", "ltn-ask", {}, make("label", "ltn-question", { for: name }, ask.question), field);
}

/**
 * @param {Ask} ask @param {Said} said @param {import("./verdict.js").Verdict} verdict @param {LessonWords} words
 */
export function drawVerdict(ask, said, verdict, words) {
  const bars = ask.curve ? [] : barsOf(ask, said, words),
    list = make("dl", "ltn-answers");
  list.classList.toggle(
    "ltn-short",
    bars.every((bar) => bar.name.length <= SHORT),
  );
  for (const { name, shown, size, notes } of bars) {
    const bar = make("i");
    bar.style.width = `${LONGEST_BAR * size}%`;
    const note = notes.length ? [make("em", "", {}, notes.join(", "))] : [];
    list.append(make("dt", "", {}, name), make("dd", "", {}, bar, make("span", "", {}, shown), ...note));
  }
  const found = make("div", "ltn-verdict", {}, make("p", "", {}, verdict.text), list);
  found.dataset.verdict = verdict.right ? "right" : "wrong";
  return found;
}
