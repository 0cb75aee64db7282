import { expect, test } from "vitest";
import SAVED from "../../tests/contract/turn.v1.json";
import { livePads } from "../core/pads";
import widget from "../widgets/index";
import { HandClock } from "./hand-clock";
import { settled } from "./ring-speakers";
import { ScriptedKernel } from "./scripted-kernel";

function model(traits: Readonly<Record<string, unknown>>): { clock: HandClock; kernel: ScriptedKernel } {
  const clock = new HandClock();
  return { clock, kernel: new ScriptedKernel(clock, undefined, undefined, traits) };
}

function kernelSays(
  kernel: ScriptedKernel,
  clock: HandClock,
  seq: number,
  name: string,
  data: unknown,
): void {
  kernel.post({ v: 1, kind: "event", seq, name, data });
  clock.advance(10);
}

test("two views of one model show the same card, and each goes without the other", async () => {
  const { clock, kernel } = model({ view: "card" });
  const { initialize, render } = widget();
  const close = initialize({ model: kernel });
  const [one, two] = [document.createElement("div"), document.createElement("div")];
  document.body.append(one, two);
  const first = render({ model: kernel, el: one });
  render({ model: kernel, el: two });
  kernelSays(kernel, clock, 1, "turn.started", { turn: "t1", card: SAVED });
  await new Promise((drawn) => requestAnimationFrame(drawn));
  await settled();
  expect(one.textContent).toContain("The capital of France is Paris.");
  expect(two.textContent).toBe(one.textContent);
  first();
  expect(one.childElementCount).toBe(0);
  expect(two.textContent).toContain("Paris");
  close();
  expect(kernel.listeners).toBe(0);
});

test("initialize returns at once and says hello without a view", () => {
  const { kernel } = model({ view: "pad", pad_id: "p" });
  const close = widget().initialize({ model: kernel });
  expect(close).toBeTypeOf("function");
  expect(kernel.sent).toMatchObject([{ v: 1, kind: "hello", have: 0, lab: false }]);
  close();
});

test("a live pad is offered to the page under its own name, until its model goes", () => {
  const { kernel } = model({ view: "pad", pad_id: "pad-7" });
  let changes = 0;
  livePads().addEventListener("change", () => (changes += 1));
  const close = widget().initialize({ model: kernel });
  const el = document.createElement("div");
  const takeAway = livePads().pads.get("pad-7")?.mount(el);
  expect(el.querySelector("section")).not.toBeNull();
  takeAway?.();
  expect(el.childElementCount).toBe(0);
  close();
  expect(livePads().pads.size).toBe(0);
  expect(changes).toBe(2);
});
