/** Lines of longitude and latitude. */

/** @type {import("./layer.js").Layer} a renderer draws it with the empty sphere */
export const grid = { key: "grid", title: "Grid", hint: "", on: true };
