import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CodeModel, Half, HalfModule } from "../widgets/code";
import widget from "../widgets/entry";

const SHARED = Symbol.for("cellvoice.code.v1");

beforeEach(() => {
  vi.useFakeTimers();
  Reflect.deleteProperty(globalThis, SHARED);
  document.body.replaceChildren();
});
afterEach(() => vi.useRealTimers());

type Run = (content: unknown, buffers: unknown) => void;

class Model implements CodeModel {
  readonly sent: unknown[] = [];
  readonly runs = new Set<Run>();

  constructor(readonly code = "abc") {}
  get = (name: string): unknown => (name === "code" ? this.code : undefined);
  send = (content: unknown): void => void this.sent.push(content);
  on = (_name: string, run: Run): void => void this.runs.add(run);
  off = (_name: string, run: Run): void => void this.runs.delete(run);
  say(content: unknown, buffers: unknown = []): void {
    for (const run of [...this.runs]) run(content, buffers);
  }
  async sayCode(text = "export default 1;", name = this.code): Promise<void> {
    const zipped = new Response(text).body?.pipeThrough(new CompressionStream("gzip"));
    const buffer = new DataView(await new Response(zipped ?? null).arrayBuffer());
    this.say({ v: 1, kind: "code", name }, [buffer]);
  }
}

/** A module that writes down what it was asked for. */
class Fake {
  readonly log: string[] = [];
  readonly texts: string[] = [];

  importText = (text: string): Promise<HalfModule> => {
    this.texts.push(text);
    return Promise.resolve({ default: () => this.#half() });
  };

  #half(): Half {
    return {
      initialize: () => {
        this.log.push("open");
        return () => this.log.push("close");
      },
      render: ({ el }) => {
        el.textContent = "drawn";
        return () => this.log.push("taken away");
      },
    };
  }
}

function box(): HTMLElement {
  const el = document.createElement("div");
  document.body.append(el);
  return el;
}

test("the module is asked for, unzipped, and draws every view that came before it", async () => {
  const [model, fake, one, two] = [new Model(), new Fake(), box(), box()];
  const { initialize, render } = widget(fake);
  const close = initialize({ model });
  const takeAway = render({ model, el: one });
  render({ model, el: two });
  expect(model.sent).toEqual([{ v: 1, kind: "code", name: "abc" }]);
  expect(one.childNodes).toHaveLength(0);
  await model.sayCode("export default 42;");
  await vi.waitUntil(() => one.textContent === "drawn");
  expect([two.textContent, fake.texts]).toEqual(["drawn", ["export default 42;"]]);
  takeAway();
  close();
  expect(fake.log).toEqual(["open", "taken away", "close"]);
  expect([model.runs.size, vi.getTimerCount()]).toEqual([0, 0]);
});

test("widgets that come at once ask once, and one that comes later asks nothing", async () => {
  const [first, second, third, fake] = [new Model(), new Model(), new Model(), new Fake()];
  widget(fake).initialize({ model: first });
  widget(fake).initialize({ model: second });
  expect([first.sent.length, second.sent.length]).toEqual([1, 0]);
  await first.sayCode();
  await vi.waitUntil(() => fake.log.length === 2);
  widget(fake).initialize({ model: third });
  expect(fake.log).toEqual(["open", "open", "open"]);
  expect([third.sent.length, fake.texts.length, vi.getTimerCount()]).toEqual([0, 1, 0]);
});

test("when the widget that asked is closed, another one asks in its place", () => {
  const [first, second] = [new Model(), new Model()];
  const close = widget().initialize({ model: first });
  widget().initialize({ model: second });
  close();
  vi.advanceTimersByTime(250);
  expect([first.sent.length, second.sent.length]).toEqual([1, 1]);
});

test("a kernel that does not hear is asked ever more slowly", () => {
  const model = new Model();
  widget().initialize({ model });
  vi.advanceTimersByTime(60_000);
  expect(model.sent.length).toBeLessThan(8 + 60 / 2 + 1);
  expect(model.sent.length).toBeGreaterThan(30);
});

test("two releases on one page are two modules", async () => {
  const [old, young, fake] = [new Model("old"), new Model("young"), new Fake()];
  widget(fake).initialize({ model: old });
  widget(fake).initialize({ model: young });
  await young.sayCode("export default 'old';", "old");
  expect(young.sent).toHaveLength(1);
  await young.sayCode("export default 'young';");
  await vi.waitUntil(() => fake.log.length === 1);
  expect(fake.texts).toEqual(["export default 'young';"]);
  expect(old.runs.size).toBe(1);
});

test("a view that goes before the module comes is not drawn", async () => {
  const [model, fake, gone, stays] = [new Model(), new Fake(), box(), box()];
  const { initialize, render } = widget(fake);
  initialize({ model });
  render({ model, el: gone })();
  render({ model, el: stays });
  await model.sayCode();
  await vi.waitUntil(() => stays.textContent === "drawn");
  expect(gone.childNodes).toHaveLength(0);
});

test("where no kernel answers, the view says what to do", () => {
  const [model, el] = [new Model(), box()];
  const { initialize, render } = widget();
  initialize({ model });
  const takeAway = render({ model, el });
  vi.advanceTimersByTime(1_999);
  expect(el.textContent).toBe("");
  vi.advanceTimersByTime(1);
  expect(el.querySelector("[role=status]")?.textContent).toContain("run the cell again");
  takeAway();
  expect(el.childNodes).toHaveLength(0);
});

test("a browser that refuses the module is told of as text, and the next widget asks again", async () => {
  const [model, el, later] = [new Model(), box(), new Model()];
  const { initialize, render } = widget({ importText: () => Promise.reject(new Error("<b>policy</b>")) });
  initialize({ model });
  render({ model, el });
  await model.sayCode();
  await vi.waitUntil(() => el.textContent !== "");
  expect(el.textContent).toContain("<b>policy</b>");
  expect(el.textContent).toContain("content policy");
  vi.advanceTimersByTime(250);
  widget().initialize({ model: later });
  expect(later.sent).toHaveLength(1);
});

test.each([
  ["nothing", null],
  ["another version", { v: 2, kind: "code", name: "abc" }],
  ["another kind", { v: 1, kind: "event", name: "abc" }],
])("%s is passed over", (_what, content) => {
  const [model, fake] = [new Model(), new Fake()];
  widget(fake).initialize({ model });
  model.say(content, [new DataView(new ArrayBuffer(1))]);
  expect([model.runs.size, fake.texts.length]).toEqual([1, 0]);
});
