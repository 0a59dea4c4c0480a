/** Makes a link to a page with fewer controls: what is shown, and what can be changed, is ticked here. */
import { openDialog } from "../common/dialog.js";
import { make } from "../common/dom.js";
import { controlsIn, reducedLink } from "../common/reduced.js";
import { words } from "../words.js";
import { linkTo } from "./permalink.js";
import { reducedWords } from "./words.js";

/** @typedef {import("../common/types.js").PageControl} Control */

/** @param {import("../assembly.js").Stage} stage */
export function makeLink(stage) {
  const { root, data, parts } = stage,
    given = parts.reduced,
    hidden = new Set(given.hidden),
    fixed = new Set(given.fixed);
  // A lesson sets its stage itself: nothing but what is taken away stands in its link.
  const base = data.guest ? location.href : linkTo(stage);
  const field = make("input", "ltv-entry", { type: "text", readonly: "", "aria-label": words.link });
  const write = () => {
    const url = new URL(base);
    // What stands in a form of the page is not in its address yet.
    for (const [name, [parameter, value]] of Object.entries(formValues()))
      if (hidden.has(name) || fixed.has(name)) url.searchParams.set(parameter, value);
    field.value = reducedLink(url.href, hidden, fixed);
  };
  const copy = make("button", "ltv-primary", { type: "button" }, reducedWords.copy);
  const rows = Object.entries(controlsOf(stage)).flatMap(([group, controls]) => [
    make("h4", "", {}, reducedWords.groups[/** @type {keyof typeof reducedWords.groups} */ (group)]),
    ...controls.map((control) => row(control, hidden, fixed, write)),
  ]);
  const head = make(
    "div",
    "ltv-rowhead",
    {},
    make("span", "", {}, reducedWords.shown),
    make("span", "", {}, reducedWords.free),
  );
  const dialog = openDialog(
    root,
    reducedWords.title,
    () => {},
    make("p", "ltv-quiet", {}, reducedWords.note),
    head,
    make("div", "ltv-controls", { tabindex: "0", role: "group", "aria-label": reducedWords.title }, ...rows),
    field,
    copy,
  );
  dialog.root.classList.add("ltv-makelink");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      copy.textContent = reducedWords.copied;
    } catch {
      field.select();
    }
  });
  write();
}

/** What a form of the page leaves for a link: by control, the parameter that says it. @returns {Record<string, string[]>} */
function formValues() {
  const left = document.querySelector(".ltviz-form");
  return left instanceof HTMLElement ? JSON.parse(left.dataset.values ?? "{}") : {};
}

/**
 * Everything on the page that a link can take away, by where it is. @param {import("../assembly.js").Stage} stage
 * @returns {Record<string, Control[]>}
 */
function controlsOf({ root, data }) {
  const around = /** @type {ParentNode} */ (root.closest("[data-controls]") ?? root);
  const drawn = controlsIn(around).map((one) => ({
    name: one.dataset.control ?? "",
    title: titleOf(one),
    fixable: true,
  }));
  const found = new Map([...drawn, ...(data.controls ?? [])].map((control) => [control.name, control]));
  /** @type {Record<string, Control[]>} */
  const groups = { page: [], lab: [], stage: [], layer: [] };
  for (const control of found.values())
    (groups[control.name.includes(".") ? control.name.split(".")[0] : "stage"] ??= []).push(control);
  return Object.fromEntries(Object.entries(groups).filter(([, controls]) => controls.length));
}

/** @param {HTMLElement} control */
function titleOf(control) {
  const name = control.dataset.control ?? "";
  const own = reducedWords.controls[/** @type {keyof typeof reducedWords.controls} */ (name)];
  return own ?? ((control.querySelector("summary,h3,span")?.textContent || control.textContent || name).trim() || name);
}

/** @param {Control} control @param {Set<string>} hidden @param {Set<string>} fixed @param {() => void} changed */
function row({ name, title, fixable }, hidden, fixed, changed) {
  const box = (/** @type {Set<string>} */ taken, /** @type {string} */ what) => {
    const input = make("input", "", { type: "checkbox", "aria-label": `${title}: ${what}` });
    input.checked = !taken.has(name);
    input.addEventListener("change", () => {
      if (input.checked) taken.delete(name);
      else taken.add(name);
      free.disabled = hidden.has(name);
      changed();
    });
    return input;
  };
  const shown = box(hidden, reducedWords.shown),
    free = box(fixed, reducedWords.free);
  free.disabled = hidden.has(name);
  free.hidden = !fixable;
  return make("div", "ltv-control", { title: name }, make("span", "", {}, title), shown, free);
}
