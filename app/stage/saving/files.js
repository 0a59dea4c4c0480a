/** Files that a person takes away. */
import { make } from "../common/dom.js";

const KEPT_MS = 10_000,
  LONGEST = 80;

/** Hands a file to the person. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const link = make("a", "", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

/**
 * Named after what is on the stage. @param {{picture: {shown: {id: string}[]}}} stage
 * @param {string} suffix without its dot
 */
export function fileName({ picture }, suffix) {
  return `ltviz-${picture.shown
    .map((run) => run.id.replace(/[^a-z0-9@-]/gi, ""))
    .join("-")
    .slice(0, LONGEST)}.${suffix}`;
}
