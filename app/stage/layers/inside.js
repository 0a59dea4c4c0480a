/** What the method knows of itself. */

/** @type {import("./layer.js").Layer} beside the picture: see `Strips` */
export const inside = {
  key: "inside",
  title: "Inside the method",
  hint: "Bars under each panel: what the method knows of each class",
  on: false,
};
