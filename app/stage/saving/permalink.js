/** A link that shows the same: runs, step, cameras' pose, layers, colours, panel and class in focus. */
import { clampPose } from "../scene/camera.js";
import { COLOUR_MODES, START } from "../scene/choices.js";
import { coloured } from "../scene/known.js";
import { openDialog } from "../common/dialog.js";
import { make } from "../common/dom.js";
import { PARTS } from "../scene/forces.js";
import { isOn } from "../layers/layer.js";
import { layersOf } from "../layers/list.js";
import { words } from "../words.js";

/** @typedef {import("../scene/choices.js").Chosen} Chosen */
/**
 * @typedef {Pick<Chosen, "layers"|"colourMode"|"solo"|"forces"|"chosen">} Linked beside the camera, what a link keeps
 * of the choices (of forces, their parts and whether their arrows are alike); step, moments beside and projection the address holds
 * anyway
 */

const DIGITS = 3;
const MOST_CHOSEN = 200;
const MOST_LAYERS = 100;
/** The name of an attribute has at most 200 letters. */
const LONGEST_MODE = 220;
const ALIKE = "alike";
const RANK = /^\d{1,5}$/;
/** A layer that is on, or with "-" one that is off: a layer of the stage, a mark of a method, a word of an old link. */
const SWITCH = /^(-?)([A-Za-z0-9_][A-Za-z0-9_.-]{0,64})$/;
/** A run's id, or a moment's: run@step. */
const PANEL = /^[a-z0-9][a-z0-9-]{2,63}(@\d{1,12})?$/;

/**
 * Layers that are not as usual. @param {import("../layers/layer.js").Layer[]} layers on the stage
 * @param {Chosen["layers"]} chosen
 */
function changedLayers(layers, chosen) {
  const known = new Set(layers.flatMap(({ key, group }) => (group === undefined ? [key] : [key, group])));
  const switched = layers.flatMap((layer) => {
    const on = isOn(layer, chosen);
    return on === layer.on ? [] : [/** @type {[string, boolean]} */ ([layer.key, on])];
  });
  // Marks of methods that are not here now may come back.
  const others = Object.entries(chosen).filter(([key]) => !known.has(key));
  return [...switched, ...others].map(([key, on]) => (on ? key : `-${key}`));
}

/**
 * @param {string} href the page's address @param {string[]} runs on the stage
 * @param {import("../common/types.js").Pose|null} camera
 * @param {import("../layers/layer.js").Layer[]} layers on the stage @param {Linked} choices
 * @returns {string} what is as usual is left out
 */
export function linkOf(href, runs, camera, layers, { layers: chosenLayers, colourMode, solo, forces, chosen }) {
  const url = new URL(href);
  const given = {
    runs: runs.join(","),
    camera: camera
      ? [camera.yaw % (2 * Math.PI), camera.pitch, camera.distance].map((v) => v.toFixed(DIGITS)).join(",")
      : "",
    layers: changedLayers(layers, chosenLayers).join(","),
    colour: colourMode === COLOUR_MODES[0] ? "" : colourMode,
    solo: solo ?? "",
    arrows: forces.alike ? ALIKE : "",
    parts: PARTS.filter((part) => forces.parts.has(part)).join(","),
    class: [...(chosen ?? [])].slice(0, MOST_CHOSEN).join(","),
  };
  for (const [name, value] of Object.entries(given))
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  url.search = url.search.replace(/%2C/gi, ",").replace(/%40/gi, "@").replace(/%3A/gi, ":");
  return url.href;
}

/**
 * @param {string} search of an address, with or without its question mark
 * @returns {Partial<Chosen>} what it says and is possible; the rest is left out
 */
export function readLink(search) {
  const asked = new URLSearchParams(search);
  const list = (/** @type {string} */ name) => (asked.get(name) ?? "").split(",").filter(Boolean);
  /** @type {Partial<Chosen>} */
  const read = {};
  const [yaw, pitch, distance, ...more] = list("camera").map(Number);
  // One camera for all, whatever was kept.
  if (!more.length && [yaw, pitch, distance].every(Number.isFinite))
    Object.assign(read, { pose: clampPose({ yaw, pitch, distance }), free: false, poses: {} });
  const switches = list("layers")
    .slice(0, MOST_LAYERS)
    .flatMap((word) => {
      const [, off, key] = SWITCH.exec(word) ?? [];
      return key === undefined || key in {} ? [] : [/** @type {[string, boolean]} */ ([key, !off])];
    });
  if (switches.length) read.layers = Object.fromEntries(switches);
  const asColour = asked.get("colour") ?? "";
  const colour = COLOUR_MODES.find((mode) => mode === asColour) ?? (coloured(asColour) ? asColour : "");
  if (colour && colour.length <= LONGEST_MODE) read.colourMode = /** @type {Chosen["colourMode"]} */ (colour);
  const solo = asked.get("solo");
  if (solo && PANEL.test(solo)) read.solo = solo;
  const parts = PARTS.filter((part) => list("parts").includes(part)),
    alike = asked.get("arrows") === ALIKE;
  if (alike || parts.length) read.forces = { ...START.forces, alike, parts: new Set(parts) };
  const ranks = list("class")
    .filter((word) => RANK.test(word))
    .map(Number);
  const chosen = new Set([...new Set(ranks)].slice(0, MOST_CHOSEN));
  if (chosen.size) read.chosen = chosen;
  return read;
}

/** @param {import("../assembly.js").Stage} stage @returns {string} */
export const linkTo = ({ picture, data, choices, shown }) =>
  linkOf(location.href, data.runs, picture.camera.goal, layersOf(shown), choices.now);

/**
 * Puts the link into the clipboard; where the browser refuses that, into a field to be copied by hand.
 * @param {import("../assembly.js").Stage} stage
 */
export async function copyLink(stage) {
  const link = linkTo(stage);
  try {
    await navigator.clipboard.writeText(link);
    stage.parts.notify(words.linkCopied);
  } catch {
    showLink(stage.root, link);
  }
}

/** @param {HTMLElement} root @param {string} link */
function showLink(root, link) {
  const field = make("input", "ltv-entry", { type: "text", readonly: "", "aria-label": words.link, value: link });
  openDialog(root, words.linkTitle, () => {}, make("p", "ltv-quiet", {}, words.linkByHand), field);
  field.select();
}
