/**
 * The component's entry. Streamlit calls the default export at mount and whenever its data change; the stage itself
 * lives
 * in this module, so that a remount finds camera, runs and picture as they were, and no second WebGL context is made.
 */
import { publishFacts } from "./common/facts.js";
import { StageView } from "./view.js";

/** A remount follows its unmount at once; only a stage that stays away lets go of its socket. */
const GRACE_MS = 1500;

/** @typedef {{view: StageView, parent: ParentNode & Node, timer: ReturnType<typeof setTimeout>|undefined}} Mounted */
/** @type {Map<string, Mounted>} */
const stages = new Map();

/**
 * @param {{data: import("./common/types.js").StageData, parentElement: ParentNode & Node}} component as Streamlit's
 * components v2 hand it over
 * @returns {() => void} called at unmount
 */
export default function mount({ data, parentElement }) {
  const facts = publishFacts(),
    key = data.view ?? "stage";
  let stage = stages.get(key);
  clearTimeout(stage?.timer);
  if (!stage) {
    stage = { view: new StageView(data, facts), parent: parentElement, timer: undefined };
    stages.set(key, stage);
  } else stage.view.setData(data);
  const mounted = stage;
  if (!parentElement.contains(mounted.view.root)) {
    facts.mounts++;
    mounted.parent = parentElement;
    mounted.view.attach(parentElement);
  }
  return () => {
    if (mounted.parent !== parentElement) return;
    clearTimeout(mounted.timer);
    mounted.timer = setTimeout(() => mounted.view.detach(), GRACE_MS);
  };
}
