/** Points that grow with the rarity of their class. */

/** @type {import("./layer.js").Layer} see `pointSizes` */
export const sizes = {
  key: "sizes",
  title: "Size by rarity",
  hint: "The fewer training samples a class has, the larger its points, on a logarithmic scale",
  on: true,
};
