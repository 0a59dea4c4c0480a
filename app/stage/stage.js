/**
 * The component's entry. Streamlit calls the default export at mount and whenever its data change; the stage itself
 * lives
 * in this module, so that a remount finds camera, runs and picture as they were, and no second WebGL context is made.
 */
import { publishTelemetry } from "./common/telemetry.js";
import { Stage } from "./assembly.js";
import { enter } from "./together/present.js";
import { welcome } from "./welcome/welcome.js";

/** A remount follows its unmount at once; only a stage that stays away lets go of its socket. */
const GRACE_MS = 1500;

/** @typedef {{stage: Stage, parent: ParentNode & Node, timer: ReturnType<typeof setTimeout>|undefined}} Mounted */
/** @type {Map<string, Mounted>} */
const stages = new Map();

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
    known = { stage: new Stage(data, telemetry), parent: parentElement, timer: undefined };
    stages.set(key, known);
  } else known.stage.setData(data);
  const mounted = known;
  mounted.stage.askCard = (run) => setTriggerValue("card", run);
  if (!parentElement.contains(mounted.stage.root)) {
    telemetry.mounts++;
    mounted.parent = parentElement;
    mounted.stage.attach(parentElement);
    enter(mounted.stage);
  }
  if (data.welcome) welcome(mounted.stage, data.welcome);
  return () => {
    if (mounted.parent !== parentElement) return;
    clearTimeout(mounted.timer);
    mounted.timer = setTimeout(() => mounted.stage.detach(), GRACE_MS);
  };
}
