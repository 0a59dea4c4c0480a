/** A lesson's text as elements: what the file may hold is listed here, and anything else is shown as the text in it. */
const MATHS = "http://www.w3.org/1998/Math/MathML";
const TAGS = new Set([
  "p",
  "strong",
  "em",
  "s",
  "code",
  "pre",
  "ul",
  "ol",
  "li",
  "a",
  "span",
  "blockquote",
  "br",
  "hr",
]);
for (const tag of ["h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"]) TAGS.add(tag);
const MATHS_TAGS = new Set(["math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "msub", "msup"]);
for (const tag of ["msubsup", "munder", "mover", "munderover"]) MATHS_TAGS.add(tag);
const ATTRIBUTES = new Set(["href", "display", "width", "stretchy", "fence", "accent", "mathvariant", "data-term"]);

/** @typedef {string|[string, Record<string, string>, ...any[]]} TextNode  text, or tag, attributes and children */

/** @param {TextNode[]} tree @returns {(Node|string)[]} */
export const toNodes = (tree) => tree.map(toNode);

/** @param {TextNode} node @returns {Node|string} */
function toNode(node) {
  if (typeof node === "string") return node;
  const [tag, attributes, ...children] = node;
  const element = MATHS_TAGS.has(tag)
    ? document.createElementNS(MATHS, tag)
    : document.createElement(TAGS.has(tag) ? tag : "span");
  for (const [name, value] of Object.entries(attributes))
    if (ATTRIBUTES.has(name) && (name !== "href" || value.startsWith("https://"))) element.setAttribute(name, value);
  if (tag === "a") for (const [name, value] of LEADS_OUT) element.setAttribute(name, value);
  element.append(...toNodes(children));
  return element;
}

/** A link leads out of the file, and says nothing of where it was. */
const LEADS_OUT = [
  ["target", "_blank"],
  ["rel", "noreferrer"],
];
