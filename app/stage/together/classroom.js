/** The entry of a page's part in a class: a component of the app, whose socket outlives the pages it is drawn on. */
import { Attendance } from "./attendance.js";

/** Streamlit takes a page's component away a while before it draws the next one's. */
const GRACE_MS = 4000;

/** @typedef {import("./attendance.js").ClassData} ClassData */
/** @type {{attendance: Attendance, parent: ParentNode & Node, timer: ReturnType<typeof setTimeout>|undefined}|null} */
let mounted = null;

/**
 * @param {{data: ClassData, parentElement: ParentNode & Node, setTriggerValue: (name: string, value: unknown) => void}}
 * component as Streamlit's components v2 hand it over
 * @returns {() => void} called at unmount
 */
export default function mount({ data, parentElement, setTriggerValue }) {
  mounted ??= { attendance: new Attendance(data, setTriggerValue), parent: parentElement, timer: undefined };
  const here = mounted,
    { attendance } = here;
  clearTimeout(here.timer);
  attendance.tell = setTriggerValue;
  here.parent = parentElement;
  const { root } = attendance.bar;
  if (!parentElement.contains(root)) parentElement.append(root);
  attendance.setData(data);
  return () => {
    if (here.parent !== parentElement) return;
    clearTimeout(here.timer);
    here.timer = setTimeout(() => {
      attendance.end();
      if (mounted === here) mounted = null;
    }, GRACE_MS);
  };
}
