/** The samples. */

/** @type {import("./layer.js").Layer} the renderers draw them: they are too many for strokes */
export const points = { key: "points", title: "Points", hint: "One disc for each sample", on: true };
