/** The diagram as a figure that a person takes away: the map without what only a page needs. */
import { make } from "../../common/dom.js";
import { fill } from "../../words.js";
import { labWords } from "../words.js";

/** Of the page alone. */
const ON_PAGE = ["role", "tabindex", "aria-label", "data-row", "data-ratio", "class"],
  SCALE = 2;

/** @param {SVGElement} map @returns {string} */
export function svgText(map) {
  const copy = /** @type {SVGElement} */ (map.cloneNode(true)),
    title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = map.getAttribute("aria-label");
  for (const element of [copy, ...copy.querySelectorAll("*")]) {
    // What a cell says can be read where the pointer rests on it.
    const said = element.getAttribute("data-row") === null ? null : element.getAttribute("aria-label");
    for (const name of ON_PAGE) element.removeAttribute(name);
    if (said === null) continue;
    const told = document.createElementNS("http://www.w3.org/2000/svg", "title");
    told.textContent = said;
    element.append(told);
  }
  copy.prepend(title);
  return new XMLSerializer().serializeToString(copy);
}

/** @param {SVGElement} map @returns {Promise<Blob>} */
export async function pngOf(map) {
  const address = URL.createObjectURL(new Blob([svgText(map)], { type: "image/svg+xml" })),
    image = new Image();
  const size = ["width", "height"].map((name) => SCALE * Number(map.getAttribute(name)));
  try {
    image.src = address;
    await image.decode();
    const canvas = make("canvas");
    [canvas.width, canvas.height] = size;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    /** @type {Blob|null} */
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    if (blob) return blob;
  } finally {
    URL.revokeObjectURL(address);
  }
  throw new Error(fill(labWords.phase.noPicture, { width: size[0], height: size[1] }));
}
