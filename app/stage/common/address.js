/** What is shown, in the page's address: a reload or a shared link shows the same moment in the same view. */

/**
 * @typedef {{step: number|null, beside: string, projection: string|null}} Place step null: follow; projection null: the
 * default
 */

/** @param {string} href @param {Place} place @returns {string} */
export function addressOf(href, { step, beside, projection }) {
  const url = new URL(href);
  for (const [name, value] of Object.entries({
    step: step === null ? "" : String(step),
    beside,
    projection: projection ?? "",
  }))
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  // Lists of runs and moments stay readable.
  url.search = url.search.replace(/%2C/gi, ",").replace(/%40/gi, "@").replace(/%3A/gi, ":");
  return url.href;
}

/**
 * An address of the server's, wherever a proxy has put it: the stage's own modules lie at ltviz/stage/ below its root.
 * @param {string} path as the server knows it: "/ltviz/stream" @param {string} [module] address of one of the modules
 */
export function serverAddress(path, module = import.meta.url) {
  const root = /^https?:.*\/(?=ltviz\/stage\/)/.exec(module)?.[0];
  return root ? new URL(path.replace(/^\/+/, ""), root).href : new URL(path, document.baseURI).href;
}

/** Writes it without a new entry in the history. @param {Place} place */
export function mirrorPlace(place) {
  const next = addressOf(location.href, place);
  if (next !== location.href) history.replaceState(history.state, "", next);
}
