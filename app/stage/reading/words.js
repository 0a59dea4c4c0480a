/** What a card says around the ribbon of who moved its sample or class; the sentences are the server's. */
export const pulledWords = {
  title: "Who moved it",
  ribbon: "Work of each part, step by step: along with the way above the line, against it below",
  whole: "The whole ledger",
  wholeHint: "Opens the ledger of pulls under the curves, for this one",
};
