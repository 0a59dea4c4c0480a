/**
 * The component's entry. Streamlit calls the default export at mount and whenever its data change; the stage itself
 * lives
 * in this module, so that a remount finds camera, runs and picture as they were, and no second WebGL context is made.
 */
import { publishTelemetry } from "./common/telemetry.js";
import { Stage } from "./assembly.js";
import { prepareRenderer } from "./drawing/picture.js";
import { enter } from "./together/present.js";
import { welcome } from "./welcome/welcome.js";

/** A remount follows its unmount at once; only a stage that stays away lets go of its socket. */
const GRACE_MS = 1500;

/** The first spheres are seen; so long the others have before charts may take the browser. */
const OTHERS_MS = 400;

/**
 * @typedef {object} Mounted
 * @property {Stage} stage
 * @property {ParentNode & Node} parent
 * @property {ReturnType<typeof setTimeout>} [timer]
 * @property {boolean} [waits]  the page wants to be told once points are seen, and has not been
 */
/** @type {Map<string, Mounted>} */
const stages = new Map();

// The page waits for its runs meanwhile. A browser that does not know idle times makes the canvas with the stage.
globalThis.requestIdleCallback?.(prepareRenderer, { timeout: 1000 });

/** Once it is open, for the page is on its way to that. @param {string} ledger selector @param {number} [tries] */
function goTo(ledger, tries = 40) {
  const place = document.querySelector(ledger);
  if (place?.querySelector("details[open]") || !tries) place?.scrollIntoView({ behavior: "smooth", block: "start" });
  else setTimeout(() => goTo(ledger, tries - 1), 250);
}

/**
 * @param {{data: import("./common/types.js").StageData, parentElement: ParentNode & Node,
 * setTriggerValue: (name: string, value: unknown) => void}} component as Streamlit's components v2 hand it over
 * @returns {() => void} called at unmount
 */
export default function mount({ data, parentElement, setTriggerValue }) {
  const telemetry = publishTelemetry(),
    key = data.view ?? "stage";
  let known = stages.get(key);
  clearTimeout(known?.timer);
  if (!known) {
    known = { stage: new Stage(data, telemetry), parent: parentElement };
    stages.set(key, known);
  } else known.stage.setData(data);
  const mounted = known;
  const tell = () => {
    if (!mounted.waits) return;
    mounted.waits = false;
    setTriggerValue("seen", true);
  };
  // Who asks for a card brings the charts along: a second call would run the page again, and take the card away.
  mounted.stage.askCard = (run) => {
    mounted.waits = false;
    setTriggerValue("card", run);
  };
  const { ledger } = data;
  mounted.stage.parts.pulled.open = !ledger
    ? null
    : (run, whose) => {
        mounted.waits = false;
        setTriggerValue("ledger", { run, ...whose });
        goTo(ledger);
      };
  if (!parentElement.contains(mounted.stage.root)) {
    telemetry.mounts++;
    mounted.parent = parentElement;
    mounted.stage.attach(parentElement);
    enter(mounted.stage);
  }
  mounted.waits = Boolean(data.waits);
  if (mounted.waits) mounted.stage.ledger.whenSeen(() => setTimeout(tell, OTHERS_MS));
  if (data.welcome) welcome(mounted.stage, data.welcome);
  return () => {
    if (mounted.parent !== parentElement) return;
    clearTimeout(mounted.timer);
    mounted.timer = setTimeout(() => mounted.stage.detach(), GRACE_MS);
  };
}
