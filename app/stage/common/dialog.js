/** A small sheet over the stage that asks or tells something, while the spheres can still be turned. */
import { make } from "./dom.js";

/**
 * @param {HTMLElement} root of the stage @param {string} title
 * @param {() => void} onClose called once, by the person or by `close`
 * @param {...HTMLElement} content
 * @returns {{root: HTMLElement, close: () => void, lock: (on: boolean) => void}} `lock`: nothing but the sheet answers
 * the hand
 */
export function openDialog(root, title, onClose, ...content) {
  root
    .querySelectorAll(".ltv-dialog button[aria-label='Close']")
    .forEach((button) => /** @type {HTMLElement} */ (button).click());
  const away = make("button", "ltv-icon", { type: "button", "aria-label": "Close", title: "Close (Esc)" }, "✕");
  const dialog = make(
    "div",
    "ltv-dialog",
    { role: "dialog", "aria-label": title },
    make("header", "", {}, make("strong", "", {}, title), away),
    ...content,
  );
  const lock = (/** @type {boolean} */ on) => {
    for (const part of root.children) if (part !== dialog) part.toggleAttribute("inert", on);
  };
  const close = () => {
    if (!dialog.isConnected) return;
    lock(false);
    dialog.remove();
    onClose();
  };
  away.addEventListener("click", close);
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close();
  });
  // The menu that led here has done its work.
  root.querySelectorAll("details[open]").forEach((menu) => menu.removeAttribute("open"));
  root.append(dialog);
  dialog.querySelector(/** @type {"input"} */ ("input, select, .ltv-primary"))?.focus();
  return { root: dialog, close, lock };
}
