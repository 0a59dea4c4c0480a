/** Workers where there is no file that they could be loaded from. */

/** The page's policy lets one maker of such addresses be, and once. @type {{createScriptURL: (url: string) => any}|null} */
let policy = null;

/**
 * What opens workers in a page by itself: their source stands there, and becomes a blob; nothing else may.
 * @param {string} source @returns {() => Worker}
 */
export function workersOf(source) {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const types = /** @type {any} */ (window).trustedTypes;
  policy ??= types?.createPolicy("ltviz-worker", { createScriptURL: (/** @type {string} */ url) => url }) ?? null;
  const trusted = policy ? policy.createScriptURL(address) : address;
  return () => new Worker(trusted);
}
