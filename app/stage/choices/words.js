/** What the timeline says of samples that moved from class to class. */
export const movedWords = {
  choose: "What moved",
  kinds: {
    border: ["border crossings", "Border crossings", "border crossing"],
    prediction: ["flipped predictions", "Flipped predictions", "flipped prediction"],
    none: ["no moves", "No moves", ""],
  },
  strip: "{what} on the timeline",
  /** At one step. */
  at: "Step {step}: {count} {what}, {into} into the own class, {out} out of it, {between} between others",
  /** Over all of time. */
  all: "{count} {what} at {steps} steps, {into} into the own class, {out} out of it, {between} between others",
  none: "Nobody moved so far.",
  focused: "{text}; only of the classes in focus",
  meaning: {
    border:
      "A sample crosses a border when the centre of another class becomes the nearest one on the sphere. Centres are " +
      "those of the same step, of training samples where these are known; a sample is not taken out of its own centre " +
      "first.",
    prediction:
      "A prediction flips when the class that the run's own classifier names becomes another one, as the frames hold " +
      "it.",
  },
  reading:
    "Above the line: into the own class. Below it: out of it. Pale: between others. The height grows with the " +
    "logarithm of how many. A click goes to the step and lights who moved.",
  left:
    "Each frame is compared with the one before it, {gap} steps earlier at most: who went and came back between them " +
    "is not seen.",
  joined: "Up to step {step} in {title}, several frames are told at once, for there were too many moves.",
  looked: "In {title}, {looked} of {count} samples are looked at, drawn evenly from all classes.",
  soFar: "{text}; up to step {step} so far",
};
