/** HTML of a tool's result, rebuilt from a short list of what may stand in the page. */

/** What is kept, and which of its attributes; of anything else only the words are left. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  table: [],
  caption: [],
  colgroup: [],
  col: ["span"],
  thead: [],
  tbody: [],
  tfoot: [],
  tr: [],
  th: ["colspan", "rowspan", "scope"],
  td: ["colspan", "rowspan"],
  p: [],
  br: [],
  b: [],
  strong: [],
  i: [],
  em: [],
  code: [],
  pre: [],
  span: [],
  div: [],
  img: ["alt"],
};

/** Not even their words are anybody's to read. */
const DROPPED: ReadonlySet<string> = new Set([
  "script",
  "style",
  "template",
  "noscript",
  "iframe",
  "object",
  "svg",
  "math",
]);

const PICTURE = /^data:image\/(png|jpeg|gif|webp);base64,[a-z0-9+/=\s]+$/i;
const MOST_NODES = 20_000;

/**
 * Nodes that may stand in the page, made anew: tables, plain marks and pictures that lie in the text itself.
 *
 * The kernel has cleaned it already; this is for notebooks that somebody else's kernel wrote. The source is parsed into a
 * document of its own, where nothing runs and nothing is fetched.
 */
export function safeNodes(html: string, page: Document = document): DocumentFragment {
  const source = new DOMParser().parseFromString(html, "text/html");
  const made = page.createDocumentFragment();
  let left = MOST_NODES;
  const copy = (from: Node, into: Node): void => {
    for (const node of from.childNodes) {
      left -= 1;
      if (left < 0) return;
      if (node.nodeType === Node.TEXT_NODE) into.appendChild(page.createTextNode(node.textContent ?? ""));
      if (!(node instanceof Element)) continue;
      const kept = keptCopy(node, page);
      if (kept !== null) into.appendChild(kept);
      if (!DROPPED.has(node.localName)) copy(node, kept ?? into);
    }
  };
  copy(source.body, made);
  return made;
}

function keptCopy(element: Element, page: Document): HTMLElement | null {
  const names = Object.hasOwn(KEPT, element.localName) ? KEPT[element.localName] : undefined;
  if (names === undefined || element.namespaceURI !== "http://www.w3.org/1999/xhtml") return null;
  const made = page.createElement(element.localName);
  if (made instanceof HTMLImageElement) {
    const address = element.getAttribute("src") ?? "";
    if (!PICTURE.test(address)) return null;
    made.src = address;
  }
  for (const name of names) {
    const value = element.getAttribute(name);
    if (value !== null) made.setAttribute(name, value);
  }
  return made;
}
