/** What the parts of a lesson say that live in the page: terms of formulas, and curves that are drawn. */
export const lessonWords = {
  terms: "Terms of the formula and their arrows",
  termNames: {
    pull: "pull",
    push: "push",
    head: "push of head",
    medium: "push of medium",
    tail: "push of tail",
    targets: "pull of targets",
    prior: "prior",
  },
  termHint: "Point here or at the formula: its arrows light up on the sphere",
  chart: "Your curve",
  draw: "Draw with the pointer from the dot on, or focus a handle and use the arrow keys.",
  begins: "begins at {value}",
  handle: "Your curve at step {step}",
  steps: "steps",
  done: "Done. On it goes.",
  mine: "your curve",
  found: "in the recording",
};
