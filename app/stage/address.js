/** The held step in the page's address, so that a reload or a shared link shows the same moment. */

/** @param {string} href @param {number|null} step null: follow @returns {string} */
export function addressWithStep(href, step) {
  const url = new URL(href);
  if (step === null) url.searchParams.delete("step");
  else url.searchParams.set("step", String(step));
  // Lists of runs stay readable.
  url.search = url.search.replace(/%2C/gi, ",");
  return url.href;
}

/** Writes it without a new entry in the history. @param {number|null} step */
export function mirrorStep(step) {
  const next = addressWithStep(location.href, step);
  if (next !== location.href) history.replaceState(history.state, "", next);
}
