/**
 * The geometry lab's entry: a component of the app, whose default export Streamlit calls at mount; in a file of its own
 * it finds its data in the page, and starts by itself.
 */
import { Stage } from "./assembly.js";
import { make } from "./common/dom.js";
import { publishTelemetry } from "./common/telemetry.js";
import { workersOf } from "./common/worker.js";
import { Lab } from "./lab/lab.js";
import { enter, leave } from "./together/present.js";
import { fill, words } from "./words.js";

const GRACE_MS = 1500;

/** @typedef {import("./lab/lab.js").LabData} LabData */
/** @type {{lab: Lab, parent: ParentNode & Node, timer: ReturnType<typeof setTimeout>|undefined}|null} */
let mounted = null;

/** @param {LabData} data @param {() => Worker} openWorker */
const open = (data, openWorker) =>
  new Lab(data, openWorker, (stage, source) => new Stage(stage, publishTelemetry(), source));

/**
 * @param {{data: LabData, parentElement: ParentNode & Node}} component as Streamlit's components v2 hand it over
 * @returns {() => void} called at unmount
 */
export default function mount({ data, parentElement }) {
  const served = () => new Worker(new URL("./lab/worker.js", import.meta.url), { type: "module" });
  // Another lab altogether, as the next step of a lesson sets it.
  const { lesson } = mounted?.lab.data ?? {};
  if (lesson?.search !== data.lesson?.search || lesson?.wait?.setting !== data.lesson?.wait?.setting) {
    clearTimeout(mounted?.timer);
    mounted?.lab.end();
    if (mounted) leave(mounted.lab.stage);
    mounted = null;
  }
  mounted ??= { lab: open(data, served), parent: parentElement, timer: undefined };
  const here = mounted;
  clearTimeout(here.timer);
  if (data.lesson) here.lab.setData(data);
  here.parent = parentElement;
  if (!parentElement.contains(here.lab.root)) {
    publishTelemetry().mounts++;
    here.lab.attach(parentElement);
    enter(here.lab.stage, here.lab);
  }
  return () => {
    if (here.parent !== parentElement) return;
    clearTimeout(here.timer);
    here.timer = setTimeout(() => {
      here.lab.end();
      leave(here.lab.stage);
      if (mounted === here) mounted = null;
    }, GRACE_MS);
  };
}

function startFile() {
  const place = document.getElementById("lab"),
    contents = document.getElementById("contents");
  if (!place || !contents) return;
  try {
    const { data, worker } = JSON.parse(contents.textContent ?? "");
    const theme = new URLSearchParams(location.search).get("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = data.theme = theme;
    const lab = open({ ...data, file: true }, workersOf(worker));
    place.replaceChildren();
    lab.attach(place);
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    place.replaceChildren(make("p", "", {}, fill(words.cannotOpen, { reason })));
  }
}

startFile();
