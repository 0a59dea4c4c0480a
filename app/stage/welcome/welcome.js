/** The first minute: a card for whoever has never been here. It says one thing, and offers the tour; once it is gone it
 * never comes again. */
import { make } from "../common/dom.js";
import { LittleSphere } from "./littlesphere.js";
import { Tour } from "./tour.js";
import { welcomeWords as words } from "./words.js";

/** @typedef {import("../assembly.js").Stage} Stage */

const KEY = "ltviz.welcome";

/** Whether this browser has not seen the card yet; one that forbids storage is not asked each time. */
function isNew() {
  try {
    return localStorage.getItem(KEY) === null;
  } catch {
    return false;
  }
}

function remember() {
  try {
    localStorage.setItem(KEY, "seen");
  } catch {
    // A browser that forbids storage saw no card either.
  }
}

/**
 * Welcomes where it is fitting: whoever comes by a link to certain runs wants to see these. An address may ask for the
 * tour. Called at every mount. @param {Stage} stage
 * @param {string} act selector of what the last stop of the tour points at on the page
 */
export function welcome(stage, act) {
  const address = new URL(location.href),
    wanted = address.searchParams.get("tour") === "1";
  if (stage.root.querySelector(".ltw-card, .ltw-tour")) return;
  if (!wanted && (address.searchParams.has("runs") || !isNew())) return;
  stage.root.append(make("link", "", { rel: "stylesheet", href: new URL("./welcome.css", import.meta.url).href }));
  const tour = new Tour(stage, act);
  if (wanted) {
    // Asked for once: a reload does not ask again.
    address.searchParams.delete("tour");
    history.replaceState(history.state, "", address);
    return tour.startSoon();
  }
  const sphere = new LittleSphere(stage),
    start = make("button", "ltw-start", { type: "button" }, words.start),
    later = make("button", "ltw-later", { type: "button" }, words.later);
  const card = make("section", "ltw-card", { "aria-label": words.welcome, "data-testid": "ltviz-welcome" });
  card.append(sphere.canvas, make("p", "", {}, words.welcome), make("div", "ltw-acts", {}, start, later));
  const leave = () => {
    remember();
    sphere.end();
    card.remove();
    stage.layout();
  };
  start.addEventListener("click", () => {
    leave();
    tour.start();
  });
  later.addEventListener("click", () => {
    leave();
    stage.canvas.focus({ preventScroll: true });
  });
  stage.root.prepend(card);
  sphere.begin();
}
