/** What whoever leads a class sees of a stage, and how another stage comes to show the same. */
import { layersOf } from "../layers/list.js";
import { linkOf, readLink } from "../saving/permalink.js";
import { alike, COLOUR_MODES } from "../scene/choices.js";
import { PARTS } from "../scene/forces.js";

/** @typedef {import("../assembly.js").Stage} Stage */
/** @typedef {Pick<import("../common/messages.js").LeadHeader, "look"|"pose"|"poses"|"projection"|"mode"|"at"|"speed">} Sight */

/** No stage is there. @type {Readonly<Sight>} */
export const NOTHING = { look: "", pose: null, poses: {}, projection: null, mode: null, at: null, speed: 1 };
/** How often a clock that runs says where it is. */
const REFRESH_MS = 1000;
/** Moments that a clock which runs may be away from the leader's before it is set. */
const MOST_AWAY = 8;
const FLY_MS = 160;
const DIGITS = 4;

const triple = (/** @type {Partial<import("../common/types.js").Pose>} */ { yaw = 0.6, pitch = 0.35, distance = 4 }) =>
  [yaw, pitch, distance].map((value) => Number(value.toFixed(DIGITS)));
const poseOf = (/** @type {number[]} */ [yaw, pitch, distance]) => ({ yaw, pitch, distance });

/**
 * @param {Stage} stage @param {Sight|null} before what was read last @param {number} age ms since then
 * @returns {Sight}
 */
export function sightOf({ choices, cameras, timeline, shown }, before, age) {
  const { now } = choices;
  const asked = new URL(linkOf("http://here/", [], null, layersOf(shown), now)).searchParams;
  if (now.forces.parts.size) asked.set("parts", [...now.forces.parts].join(","));
  if (now.forces.under) asked.set("under", now.forces.under);
  const { mode, held, speed } = timeline;
  // A running clock is told where it runs by itself; what it shows in between is nobody's wish.
  const running = mode !== "hold" && before?.mode === mode && before.speed === speed && age < REFRESH_MS;
  return {
    look: String(asked),
    pose: triple(cameras.shared.goal),
    poses: now.free ? Object.fromEntries(cameras.panels.map((id) => [id, triple(cameras.of(id).goal)])) : {},
    projection: now.projection,
    mode,
    at: running ? before.at : mode === "hold" ? held : timeline.shown,
    speed,
  };
}

/**
 * Takes over what differs from what was taken over last, so that what a person has done beside it stays.
 * @param {Stage} stage @param {Sight} sight @param {Sight|null} before null: all of it
 */
export function applySight(stage, sight, before) {
  if (sight.mode === null) return;
  const changed = (/** @type {(keyof Sight)[]} */ ...names) =>
    !before || names.some((name) => !alike(sight[name], before[name]));
  if (changed("look")) applyLook(stage, sight.look);
  if (changed("projection") && sight.projection !== stage.choices.now.projection)
    stage.choices.set({ projection: sight.projection });
  if (changed("pose", "poses")) applyPoses(stage, sight);
  if (changed("mode", "at", "speed")) applyTime(stage, sight);
}

/** @param {Stage} stage @param {string} look */
function applyLook({ choices }, look) {
  const { layers = {}, colourMode = COLOUR_MODES[0], chosen = null, solo = null, forces } = readLink(look);
  const asked = new URLSearchParams(look),
    named = (asked.get("parts") ?? "").split(",");
  const parts = new Set(PARTS.filter((part) => named.includes(part)));
  const under = asked.get("under");
  choices.set({
    ...{ layers, colourMode, chosen, solo },
    forces: { ...choices.now.forces, alike: forces?.alike ?? false, parts, under: under ? under.slice(0, 64) : null },
  });
}

/** @param {Stage} stage @param {Sight} sight */
function applyPoses({ cameras }, { pose, poses }) {
  const own = Object.entries(poses);
  cameras.setFree(own.length > 0);
  if (pose && !own.length) cameras.fly(poseOf(pose), FLY_MS, cameras.shared);
  for (const [id, there] of own) if (cameras.panels.includes(id)) cameras.fly(poseOf(there), FLY_MS, cameras.of(id));
}

/** @param {Stage} stage @param {Sight} sight */
function applyTime({ timeline }, { mode, at, speed }) {
  if (speed !== timeline.speed) timeline.setSpeed(speed);
  if (mode === "hold") return void (at !== null && timeline.hold(at));
  if (mode === "follow" && timeline.live) return void (timeline.mode !== "follow" && timeline.goLive());
  if (timeline.mode !== "hold" && isNear(timeline.steps, timeline.shown, at)) return;
  timeline.send(at === null ? { play: true } : { play: true, from: at });
  timeline.enter("play", null);
}

/** @param {number[]} steps @param {number} shown @param {number|null} at */
function isNear(steps, shown, at) {
  if (at === null) return true;
  const place = (/** @type {number} */ step) => steps.findIndex((other) => other >= step);
  return Math.abs(place(shown) - place(at)) <= MOST_AWAY;
}
