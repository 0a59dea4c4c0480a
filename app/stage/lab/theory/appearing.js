/** Settings under which theory can be seen to come: cross-entropy on free features, whose weight decay vanishes. Pure. */

/** @param {import("../settings.js").Settings} now @returns {Partial<import("../settings.js").Settings>} */
export const appearing = ({ classes, dim }) => ({
  losses: ["ce"],
  dim: Math.max(dim, classes - 1),
  points: 1,
  batch: 0,
  mover: "auto",
  speed: 500,
  average: "sample",
  decayBy: "sample",
  decay: 0.02,
  vanish: true,
});
