/** A worker where there is no file that one could be loaded from. */

/** The page's policy lets one maker of such addresses be, and once. @type {{createScriptURL: (url: string) => any}|null} */
let policy = null;

/** The worker of a page by itself: its source stands there, and becomes a blob; nothing else may. @param {string} source */
export function workerOf(source) {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const types = /** @type {any} */ (window).trustedTypes;
  policy ??= types?.createPolicy("ltviz-worker", { createScriptURL: (/** @type {string} */ url) => url });
  return new Worker(policy ? policy.createScriptURL(address) : address);
}
