/** The stage in somebody else's Streamlit app: a component whose answers bring what is new of its runs. */
import { Guest } from "./guest.js";
import { Tracks } from "./incoming/tracks.js";

/**
 * @typedef {object} Component   as Streamlit's components v2 hand it over
 * @property {{stage: import("./common/types.js").StageData & {view: string}, parcel: import("./incoming/tracks.js").Parcel}}
 * data
 * @property {ParentNode & Node} parentElement
 * @property {(name: string, value: unknown) => void} setStateValue  which runs this part of the script again
 */
/**
 * @typedef {object} Mounted
 * @property {Guest} guest
 * @property {Tracks} tracks
 * @property {ParentNode & Node} parent
 * @property {ReturnType<typeof setTimeout>} [asking]
 * @property {ReturnType<typeof setTimeout>} [leaving]
 */

const POLL_MS = 500,
  /** A remount follows its unmount at once. */
  GRACE_MS = 1500;

/** @type {Map<string, Mounted>} */
const stages = new Map();
let turn = 0;

/**
 * Takes what came, and asks for more where there may be more. @param {Mounted} mounted @param {Component["data"]["parcel"]}
 * parcel @param {Component["setStateValue"]} setStateValue
 */
async function feed(mounted, parcel, setStateValue) {
  const { tracks } = mounted;
  const taken = await tracks.take(parcel);
  clearTimeout(mounted.asking);
  if (taken && !parcel.more && !parcel.live) return;
  const ask = () => setStateValue("have", { n: taken ? tracks.n : 0, turn: ++turn });
  mounted.asking = setTimeout(ask, taken && parcel.more ? 0 : POLL_MS);
}

/** @param {Component} component @returns {() => void} called at unmount */
export default function mount({ data: { stage, parcel }, parentElement, setStateValue }) {
  const known = stages.get(stage.view),
    tracks = known?.tracks ?? new Tracks(stage.runs);
  const mounted = known ?? { guest: new Guest(stage, tracks), tracks, parent: parentElement };
  stages.set(stage.view, mounted);
  clearTimeout(mounted.leaving);
  if (known) known.guest.stage.setData(stage);
  if (!parentElement.contains(mounted.guest.stage.root)) {
    mounted.parent = parentElement;
    mounted.guest.attach(parentElement);
  }
  feed(mounted, parcel, setStateValue);
  return () => {
    if (mounted.parent !== parentElement) return;
    clearTimeout(mounted.asking);
    mounted.leaving = setTimeout(() => mounted.guest.detach(), GRACE_MS);
  };
}
