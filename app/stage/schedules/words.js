/** What the charts of schedules say. */
export const scheduleWords = {
  chart: "The curve",
  draw: "Draw with the pointer or a finger, or focus a handle and use the arrow keys.",
  begins: "now {value}",
  handle: "The curve at step {step}",
  handleShare: "The curve at {step} % of the steps",
  steps: "steps",
  share: "% of the steps",
  mine: "",
  found: "",
  saysPast: "Until now, step and value: {points}.",
  saysAll: "Share of the steps and value: {points}.",
};
