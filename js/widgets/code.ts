/**
 * The browser half of cellvoice: one module, which the kernel sends once to each page (docs/architecture.md).
 *
 * All widgets of a page share it, whichever kernel they belong to, as long as both mean the same one.
 */

/** What an anywidget model needs here. */
export interface CodeModel {
  get(name: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBufferView[]): void;
  on(name: "msg:custom", run: (content: unknown, buffers: unknown) => void): void;
  off(name: "msg:custom", run: (content: unknown, buffers: unknown) => void): void;
}

/** What the module makes for each widget: the two functions of anywidget. */
export interface Half {
  initialize(props: { readonly model: CodeModel }): () => void;
  render(props: { readonly model: CodeModel; readonly el: HTMLElement }): () => void;
}

export interface HalfModule {
  default(): Half;
}

/** One module on the page, by the trait `code` of its widgets. */
interface Shared {
  module: HalfModule | null;
  failure: string;
  /** So that a hundred widgets which come at once ask once. */
  asked_ms: number;
  readonly ready: Set<() => void>;
}

export interface CodeParts {
  readonly importText?: (text: string) => Promise<HalfModule>;
}

const CODE = Symbol.for("cellvoice.code.v1");
const ASK_MS = 250;
/** A kernel without subshells queues what it is asked until its cell ends. */
const SLOW_ASK_MS = 2_000;
const QUICK_ASKS = 8;

/** Ask for the module of `model` until it is here; `run` hears that it is, or the sentence why it can't be. Returns how to give up. */
export function withCode(
  model: CodeModel,
  run: (module: HalfModule | null, failure: string) => void,
  { importText = importAsModule }: CodeParts = {},
): () => void {
  const name = String(model.get("code"));
  const shared = sharedCode(name);
  if (shared.module !== null) {
    run(shared.module, "");
    return () => undefined;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asks = 0;
  const ask = (): void => {
    const pause_ms = asks < QUICK_ASKS ? ASK_MS : SLOW_ASK_MS;
    const now_ms = performance.now();
    if (now_ms - shared.asked_ms >= pause_ms) {
      shared.asked_ms = now_ms;
      model.send({ v: 1, kind: "code", name });
    }
    asks += 1;
    timer = setTimeout(ask, pause_ms);
  };
  const receive = (content: unknown, buffers: unknown): void => {
    if (isCode(content, name)) void load(shared, buffers, importText);
  };
  const stop = (): void => {
    clearTimeout(timer);
    model.off("msg:custom", receive);
    shared.ready.delete(done);
  };
  const done = (): void => {
    stop();
    run(shared.module, shared.failure);
  };
  shared.ready.add(done);
  model.on("msg:custom", receive);
  ask();
  return stop;
}

function sharedCode(name: string): Shared {
  const page = globalThis as { [CODE]?: Map<string, Shared> | undefined };
  const all = (page[CODE] ??= new Map<string, Shared>());
  let shared = all.get(name);
  if (shared === undefined) {
    shared = { module: null, failure: "", asked_ms: -Infinity, ready: new Set() };
    all.set(name, shared);
  }
  return shared;
}

function isCode(content: unknown, name: string): boolean {
  const message = content as { v?: unknown; kind?: unknown; name?: unknown } | null;
  return message?.v === 1 && message.kind === "code" && message.name === name;
}

async function load(
  shared: Shared,
  buffers: unknown,
  importText: (text: string) => Promise<HalfModule>,
): Promise<void> {
  try {
    const module = await importText(await unzipped(buffers));
    shared.module ??= module;
  } catch (error) {
    shared.failure = `cellvoice can't be shown here: the browser did not take its module (${String(error)}). It needs Chrome 103, Firefox 113 or Safari 16.4, and a page whose content policy allows blob: or data: scripts.`;
  }
  for (const run of [...shared.ready]) run();
}

async function unzipped(buffers: unknown): Promise<string> {
  // JupyterLab hands over DataViews, other hosts ArrayBuffers or typed arrays: a Response takes them all.
  const zipped = new Response((buffers as BodyInit[])[0]).body;
  if (zipped === null) throw new Error("the kernel sent nothing");
  return new Response(zipped.pipeThrough(new DecompressionStream("gzip"))).text();
}

/** As a module of its own address; a content policy may allow only one of the two kinds. */
async function importAsModule(text: string): Promise<HalfModule> {
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    return (await import(address)) as HalfModule;
  } catch {
    return (await import(`data:text/javascript;charset=utf-8,${encodeURIComponent(text)}`)) as HalfModule;
  } finally {
    URL.revokeObjectURL(address);
  }
}
