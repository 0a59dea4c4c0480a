/** The presenter's clock of a lesson's slides: how long it has been given, beside how long it should take. */
import { make, setAttribute, setText } from "../common/dom.js";
import { fill } from "../words.js";

/**
 * @typedef {object} PresenterData
 * @property {string} lesson    its name: each lesson has a time of its own
 * @property {number} minutes   that it should take
 * @property {Record<string, string>} words
 */

const BEAT_MS = 500;

/** Seconds as 4:05. @param {number} seconds */
export const told = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** @param {string} lesson @param {boolean} anew @returns {number} ms at which it began, as this tab remembers */
function begun(lesson, anew) {
  const key = `ltviz.presenter.${lesson}`;
  try {
    const kept = Number(sessionStorage.getItem(key));
    if (kept > 0 && !anew) return kept;
    sessionStorage.setItem(key, String(Date.now()));
  } catch {
    // A browser that forbids storage: a reload begins the time anew.
  }
  return Date.now();
}

/**
 * @param {{data: PresenterData, parentElement: ParentNode & Node}} component as Streamlit's components v2 hand it over
 * @returns {() => void} called at unmount
 */
export default function mount({ data: { lesson, minutes, words }, parentElement }) {
  let start = begun(lesson, false);
  const time = make("b", "ltc-time", { role: "timer" }),
    target = make("span", "ltc-target"),
    bar = make("i", ""),
    anew = make("button", "", { type: "button", title: words.anewHelp }, words.anew);
  const root = make("section", "ltc-presenter", {
    "data-testid": "ltviz-presenter",
    "aria-label": words.clock,
  });
  root.append(
    make("link", "", { rel: "stylesheet", href: new URL("./class.css", import.meta.url).href }),
    make("div", "ltc-clock", {}, time, target, anew),
    make("div", "ltc-spent", { "aria-hidden": "true" }, bar),
  );
  const write = () => {
    const spent = Math.max(0, (Date.now() - start) / 1000),
      over = spent - 60 * minutes;
    setText(time, told(spent));
    setText(target, over > 0 ? fill(words.over, { time: told(over), minutes }) : fill(words.target, { minutes }));
    setAttribute(root, "data-over", over > 0 ? "" : null);
    bar.style.width = `${Math.min(100, (100 * spent) / (60 * minutes))}%`;
  };
  anew.addEventListener("click", () => {
    start = begun(lesson, true);
    write();
  });
  write();
  parentElement.querySelector("[data-testid=ltviz-presenter]")?.remove();
  parentElement.append(root);
  const beat = setInterval(write, BEAT_MS);
  return () => {
    clearInterval(beat);
    root.remove();
  };
}
