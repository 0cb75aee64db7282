import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import example from "../../tests/contract/turn.v1.json";
import type { NotebookPanel } from "../lab/host";
import plugin from "../lab/plugin";
import { FakeKernel, FakeSession } from "./fake-kernel";

// Lumino's widgets name this class when they are loaded, and jsdom has none.
vi.hoisted(() => vi.stubGlobal("DragEvent", MouseEvent));

const TURN = "application/vnd.cellvoice.turn.v1+json";
const FORM = { ...example, id: "new", versions: { k: 2, of: 2, ids: ["old", "new"] } };
const OLD = { ...example, id: "old", reply: { ...example.reply, text: "It was Lyon." } };

/** One notebook with the plugin, as JupyterLab opens and closes it. */
class Notebook {
  readonly session = new FakeSession();
  readonly #factories = new Map<string, IRenderMime.IRendererFactory>();
  readonly #renderers: IRenderMime.IRenderer[] = [];
  #close: () => void = () => undefined;

  constructor() {
    const panel: NotebookPanel = {
      content: {
        rendermime: { addFactory: (factory) => this.#factories.set(factory.mimeTypes.join(), factory) },
      },
    };
    plugin.activate({
      docRegistry: {
        addWidgetExtension: (_name, extension) => {
          const opened = extension.createNew(panel, { sessionContext: this.session });
          this.#close = () => opened.dispose();
        },
      },
    });
  }

  async show(form: unknown = FORM): Promise<HTMLElement> {
    const factory = this.#factories.get(TURN)!;
    const made = factory.createRenderer({
      mimeType: TURN,
      sanitizer: { sanitize: (dirty) => dirty },
      resolver: null,
      linkHandler: null,
      latexTypesetter: null,
    });
    this.#renderers.push(made);
    const data = { [TURN]: form as never, "text/html": "" };
    await act(() => made.renderModel({ trusted: false, data, metadata: {}, setData: () => undefined }));
    return made.node;
  }

  close(): void {
    void act(() => {
      for (const renderer of this.#renderers) renderer.dispose();
    });
    this.#close();
  }
}

let notebook: Notebook;
let complaints: ReturnType<typeof vi.spyOn>[];

beforeEach(() => {
  complaints = (["error", "warn"] as const).map((name) => vi.spyOn(console, name));
  notebook = new Notebook();
});

afterEach(() => {
  notebook.close();
  expect(notebook.session.listeners).toBe(0);
  for (const complaint of complaints) expect(complaint).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

function kernelWith(...turns: string[]): FakeKernel {
  const kernel = new FakeKernel((name, data) => {
    if (name === "known") return { turns: (data["turns"] as string[]).filter((id) => turns.includes(id)) };
    if (name === "version") return { card: OLD };
    return { why: "nothing was kept" };
  });
  return kernel;
}

const steps = (card: HTMLElement): HTMLButtonElement[] => [
  ...card.querySelectorAll<HTMLButtonElement>(".cv-step"),
];
const chip = (card: HTMLElement): string => card.querySelector(".cv-marks .cv-chip")?.textContent ?? "";
const shows = (card: HTMLElement, count: number): Promise<void> =>
  vi.waitFor(() => act(() => expect(steps(card)).toHaveLength(count)));

describe("a frozen card of a notebook", () => {
  it("asks nobody while there is no kernel, and its kernel once it is there", async () => {
    const card = await notebook.show();
    expect(steps(card)).toHaveLength(0);
    const kernel = kernelWith("new");
    notebook.session.start(kernel);
    await shows(card, 2);
    expect(kernel.asked.map(({ name }) => name)).toEqual(["known"]);
  });

  it("shows another version and the way back, which is asked for once", async () => {
    const kernel = kernelWith("new");
    notebook.session.start(kernel);
    const card = await notebook.show();
    await shows(card, 2);
    for (const [at, text] of [
      [0, "version 1 of 2"],
      [1, "version 2 of 2"],
      [0, "version 1 of 2"],
    ] as const) {
      void act(() => steps(card)[at]?.click());
      await vi.waitFor(() => expect(chip(card)).toBe(text));
    }
    expect(card.textContent).toContain("It was Lyon.");
    expect(kernel.asked.filter(({ name }) => name === "version")).toEqual([
      { name: "version", data: { turn: "old" } },
    ]);
  });

  it("does not show a turn that it did not ask for", async () => {
    const kernel = kernelWith("new");
    notebook.session.start(kernel);
    const card = await notebook.show({ ...FORM, versions: { k: 2, of: 2, ids: ["another", "new"] } });
    await shows(card, 2);
    void act(() => steps(card)[0]?.click());
    await vi.waitFor(() =>
      expect(card.querySelector(".cv-complaint")?.textContent).toContain("the kernel told of old"),
    );
    expect(chip(card)).toBe("version 2 of 2");
  });

  it("asks together with all that are drawn at a time, and once for a kernel that does not know them", async () => {
    const kernel = kernelWith();
    notebook.session.start(kernel);
    const cards = await Promise.all([notebook.show(), notebook.show(), notebook.show({ ...FORM, id: "x" })]);
    await vi.waitFor(() => expect(kernel.asked).toEqual([{ name: "known", data: { turns: ["new", "x"] } }]));
    await kernel.idleAgain();
    expect(cards.flatMap(steps)).toEqual([]);
    expect(kernel.asked).toHaveLength(1);
    expect(kernel.comms).toHaveLength(1);
  });

  it("sends nothing while a cell runs, and asks anew when it has ended", async () => {
    const kernel = kernelWith("new");
    kernel.hasCellvoice = false;
    notebook.session.start(kernel);
    const card = await notebook.show();
    await vi.waitFor(() => expect(kernel.looked).toBe(1));
    const end = kernel.run();
    await notebook.show();
    kernel.hasCellvoice = true;
    await kernel.idleAgain();
    expect(kernel.looked).toBe(1);
    end();
    await shows(card, 2);
    expect(kernel.looked).toBe(2);
  });

  it.each([
    ["restarts", (kernel: FakeKernel) => notebook.session.restart(kernel)],
    ["is restarted by another page", (kernel: FakeKernel) => kernel.restartedElsewhere()],
    ["is shut down", () => notebook.session.start(null)],
  ])("is as it was saved when its kernel %s, even if it showed something else", async (_name, end) => {
    const kernel = kernelWith("new");
    notebook.session.start(kernel);
    const card = await notebook.show();
    await shows(card, 2);
    void act(() => steps(card)[0]?.click());
    await vi.waitFor(() => expect(chip(card)).toBe("version 1 of 2"));
    kernel.hasCellvoice = false;
    void act(() => end(kernel));
    await shows(card, 0);
    expect(chip(card)).toBe("version 2 of 2");
    expect(card.textContent).not.toContain("It was Lyon.");
  });

  it("waits for a kernel that is silent, and gives up when that goes", async () => {
    const kernel = kernelWith("new");
    notebook.session.start(kernel);
    const card = await notebook.show();
    await shows(card, 2);
    kernel.deaf = true;
    void act(() => steps(card)[0]?.click());
    await vi.waitFor(() => expect(card.textContent).toContain("asking the kernel …"), { timeout: 3_000 });
    expect(chip(card)).toBe("version 2 of 2");
    void act(() => notebook.session.restart(kernel));
    await shows(card, 0);
  });

  it("is as it was saved when the kernel has let the turn go", async () => {
    const turns = ["new"];
    const kernel = new FakeKernel((name, data) => {
      if (name === "known") return { turns: (data["turns"] as string[]).filter((id) => turns.includes(id)) };
      throw new Error("the kernel has no such turn any more");
    });
    notebook.session.start(kernel);
    const card = await notebook.show();
    await shows(card, 2);
    turns.pop();
    void act(() => steps(card)[0]?.click());
    await shows(card, 0);
  });

  it("stays as it was saved where another notebook has the kernel's comms", async () => {
    const kernel = kernelWith("new");
    kernel.handleComms = false;
    notebook.session.start(kernel);
    const card = await notebook.show();
    await vi.waitFor(() => expect(kernel.looked).toBe(1));
    await kernel.idleAgain();
    expect(steps(card)).toHaveLength(0);
  });
});
