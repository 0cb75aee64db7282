/** Where a page's live pads are found by the JupyterLab renderer of a pad's saved form. */

const PADS = Symbol.for("cellvoice.pads.v1");
const LAB = Symbol.for("cellvoice.lab.v1");

/** A pad that can be drawn anywhere on the page, by the bundle that owns its signals. */
export interface LivePad {
  /** Draw into `el`; the returned function takes it away again. */
  mount(el: HTMLElement): () => void;
}

/** The page's live pads; `change` is dispatched whenever one comes or goes. */
export interface LivePads extends EventTarget {
  readonly pads: Map<string, LivePad>;
}

export function livePads(): LivePads {
  const page = globalThis as { [PADS]?: LivePads | undefined };
  const pads = page[PADS] ?? Object.assign(new EventTarget(), { pads: new Map<string, LivePad>() });
  page[PADS] = pads;
  return pads;
}

/** Offer a pad until the returned function is called. */
export function offerPad(pad_id: string, pad: LivePad): () => void {
  const all = livePads();
  all.pads.set(pad_id, pad);
  all.dispatchEvent(new Event("change"));
  return () => {
    if (all.pads.get(pad_id) !== pad) return;
    all.pads.delete(pad_id);
    all.dispatchEvent(new Event("change"));
  };
}

/** Whether our JupyterLab renderer is on this page; its module calls `announceLab` when it loads. */
export function labIsHere(): boolean {
  return (globalThis as { [LAB]?: boolean })[LAB] === true;
}

export function announceLab(): void {
  (globalThis as { [LAB]?: boolean })[LAB] = true;
}
