/** Names of the classes beside their centres. */

/** @type {import("./layer.js").Layer} text over the picture: see `Overlay.moveLabels` */
export const labels = { key: "labels", title: "Class names", hint: "", on: true };
