/** What the components of one page tell one another: a stage, and the text of a lesson or a card beside it. */

/**
 * @typedef {object} Signals
 * @property {{parts: string[]|null, by: "text"|"stage"}} lit  parts of forces under the pointer or the focus; null: none
 * @property {{rank: number, name: string}} pointed  a class was pointed at on the stage
 * @property {{rank: number|null}} picked  a class was chosen beside it; null: none
 * @property {{id: string}} done           what a lesson waited for has been done
 */

const NAME = "ltviz-signal";

/** @template {keyof Signals} K @param {K} kind @param {Signals[K]} what */
export function tell(kind, what) {
  document.dispatchEvent(new CustomEvent(NAME, { detail: { kind, what } }));
}

/** @template {keyof Signals} K @param {K} kind @param {(what: Signals[K]) => void} heard @returns {() => void} ends it */
export function listen(kind, heard) {
  const take = (/** @type {Event} */ event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    if (detail?.kind === kind) heard(detail.what);
  };
  document.addEventListener(NAME, take);
  return () => document.removeEventListener(NAME, take);
}
