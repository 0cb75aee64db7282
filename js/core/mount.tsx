import { render, type ComponentChildren } from "preact";
import { Scope } from "./scope";
import { SHEET } from "./sheet";

/** JupyterLab looks for this attribute before it takes a key as one of its shortcuts. */
const KEEP_KEYS = "data-lm-suppress-shortcuts";

/**
 * Show a view inside `element`, with its styles and its own keyboard.
 *
 * Returns how to take it away again; nothing is left behind but the one style element of the page.
 */
export function mount(element: HTMLElement, view: ComponentChildren): () => void {
  const scope = new Scope();
  const host = element.ownerDocument.createElement("div");
  host.className = "cellvoice";
  element.append(host);
  addStyles(element);
  keepKeys(host, scope);
  render(view, host);
  return () => {
    render(null, host);
    scope.close();
    host.remove();
  };
}

/** Once for the document or shadow root that the element is in. */
function addStyles(element: HTMLElement): void {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : element.ownerDocument.head;
  for (const present of place.querySelectorAll("style[data-cellvoice]")) {
    if (present.textContent === SHEET) return;
  }
  const style = element.ownerDocument.createElement("style");
  style.dataset["cellvoice"] = "";
  style.textContent = SHEET;
  place.append(style);
}

/**
 * A letter or the space bar pressed in here must not delete a cell; a chord such as Ctrl-S stays the notebook's.
 *
 * JupyterLab listens on the document in the capture phase, so stopping the event in here is too late for it: it asks for
 * an attribute, which is set anew for each key, before it looks. Other hosts listen further out, where stopping works.
 */
function keepKeys(host: HTMLElement, scope: Scope): void {
  const isChord = (event: Event): boolean =>
    event instanceof KeyboardEvent && (event.ctrlKey || event.metaKey);
  const before = (event: Event): void => {
    if (event.composedPath().includes(host)) host.toggleAttribute(KEEP_KEYS, !isChord(event));
  };
  const after = (event: Event): void => {
    if (!isChord(event)) event.stopPropagation();
  };
  scope.listen(window, "keydown", before, { capture: true });
  scope.listen(host, "keydown", after);
  scope.listen(host, "keyup", after);
}
