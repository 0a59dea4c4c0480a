/** What the first minute says. */
export const welcomeWords = {
  welcome:
    "Most data have a few common classes and many rare ones; here you see what becomes of the rare ones while a network learns.",
  start: "Start the tour",
  later: "Not now",
  skip: "Skip the tour",
  back: "Back",
  next: "Next",
  done: "Done",
  count: "{number} of {count}",
  stops: [
    {
      title: "A dot is one sample",
      text: "A picture of a digit, say. The network turned it into a direction, so every dot lies on a sphere. Drag to turn it.",
    },
    {
      title: "A colour is how common its class is",
      text: "Classes at the left end of this scale have the most samples, those at the right end the fewest. Only the rare ones are lit now.",
    },
    {
      title: "A sphere is one run",
      text: "Runs of one race began alike and saw the same samples; what differs is the loss of each method.",
    },
    {
      title: "The slider is time",
      text: "Its left end is the beginning of training. Drag it back to see where the rare classes came from.",
    },
    {
      title: "The table says it in numbers",
      text: "One row a run, at the step that you look at. Point at the head of a column to read what it means.",
    },
    {
      title: "Now you",
      text: "Train starts a race on this machine. The page Learn has lessons that ask before they show.",
    },
  ],
};
