/** One explaining tip for the whole stage: on hover, on focus, and on touch, where the browser's own would not come. */
import { make } from "../common/dom.js";

export class Tips {
  /** @param {HTMLElement} root the tip stays within it */
  constructor(root) {
    this.root = root;
    this.box = make("div", "ltv-tip", { role: "tooltip", id: "ltv-tip", hidden: "" });
    root.append(this.box);
  }

  /** @param {HTMLElement} element @param {() => string[]} lines asked when the tip opens; the first is the title */
  explain(element, lines) {
    element.tabIndex = 0;
    const open = () => this.open(element, lines()),
      close = () => this.close();
    element.addEventListener("pointerenter", open);
    element.addEventListener("focus", open);
    element.addEventListener("pointerleave", close);
    element.addEventListener("blur", close);
    element.addEventListener("keydown", (event) => event.key === "Escape" && close());
  }

  /** @param {HTMLElement} element @param {string[]} lines */
  open(element, [title, ...rest]) {
    this.box.replaceChildren(
      make("strong", "", {}, title),
      ...rest.filter(Boolean).map((line) => make("span", "", {}, line)),
    );
    this.box.hidden = false;
    element.setAttribute("aria-describedby", this.box.id);
    const own = this.root.getBoundingClientRect(),
      at = element.getBoundingClientRect();
    const width = this.box.offsetWidth,
      height = this.box.offsetHeight;
    const left = Math.min(Math.max(0, at.left - own.left), Math.max(0, own.width - width));
    const above = at.top - own.top - height - 6;
    this.box.style.transform = `translate(${left}px, ${above > -own.top ? above : at.bottom - own.top + 6}px)`;
  }

  close() {
    this.box.hidden = true;
  }
}
