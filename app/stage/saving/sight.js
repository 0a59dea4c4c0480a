/** The link to what is seen: taken from a stage, and brought back to one that opens. */
import { openDialog } from "../common/dialog.js";
import { make } from "../common/dom.js";
import { linkOf, readLink } from "./permalink.js";

/** @param {import("../view.js").StageView} stage @returns {string} */
export function linkTo({ picture, data }) {
  const { layers, colourMode, solo, chosen } = picture;
  return linkOf(location.href, data.runs, {
    camera: picture.camera.goal,
    layers,
    colourMode,
    solo,
    alike: picture.forces.alike,
    chosen: [...(chosen ?? [])],
  });
}

/**
 * Shows a picture that has not been drawn yet as the page's address asks.
 * @param {import("../scene/picture.js").Picture} picture @param {string} search of the address
 */
export function restoreSight(picture, search) {
  const { camera, layers, colourMode, solo, alike, chosen } = readLink(search);
  if (camera) picture.cameras.open(camera);
  Object.assign(picture.layers, layers);
  picture.colourMode = colourMode ?? picture.colourMode;
  picture.solo = solo ?? picture.solo;
  picture.forces = { ...picture.forces, alike: alike ?? picture.forces.alike };
  picture.chosen = chosen ? new Set(chosen) : picture.chosen;
}

/** Puts the link into the clipboard; where the browser refuses that, into a field to be copied by hand. @param {import("../view.js").StageView} stage */
export async function copyLink(stage) {
  const link = linkTo(stage);
  try {
    await navigator.clipboard.writeText(link);
    stage.parts.notify("The link is in the clipboard. It shows these runs as you see them now.");
  } catch {
    showLink(stage.root, link);
  }
}

/** @param {HTMLElement} root @param {string} link */
function showLink(root, link) {
  const field = make("input", "ltv-entry", { type: "text", readonly: "", "aria-label": "Link", value: link });
  openDialog(
    root,
    "Link to what you see",
    () => {},
    make("p", "ltv-quiet", {}, "The browser keeps its clipboard closed; copy the link from here."),
    field,
  );
  field.select();
}
