import { describe, expect, test, vi } from "vitest";
import { Scope } from "../core/scope";
import { Channel, type Answer, type KernelEvent } from "../rpc";
import { HandClock } from "./hand-clock";
import { dice, rough, ScriptedKernel, settle, steady, type Line } from "./scripted-kernel";

function setUp(lines: { toKernel?: Line; toPage?: Line; expecting?: () => boolean } = {}) {
  const clock = new HandClock();
  const kernel = new ScriptedKernel(clock, lines.toKernel, lines.toPage);
  const scope = new Scope();
  const options = { clock, page: "p1" };
  const channel = new Channel(
    kernel,
    scope,
    lines.expecting ? { ...options, expecting: lines.expecting } : options,
  );
  const events: KernelEvent[] = [];
  channel.onEvent((event) => events.push(event));
  return { clock, kernel, scope, channel, events };
}

test("the page says hello every 250 ms until it is welcomed, then never again", () => {
  const { clock, kernel, channel } = setUp();
  kernel.deaf = true;
  clock.advance(1_000);
  expect(kernel.sent.filter((message) => message["kind"] === "hello")).toHaveLength(5);
  expect(channel.link.value).toBe("connecting");
  kernel.deaf = false;
  clock.advance(260);
  expect(channel.link.value).toBe("open");
  const hellos = kernel.sent.length;
  clock.advance(5_000);
  expect(kernel.sent).toHaveLength(hellos);
});

test("a page nobody answers slows down, so that a busy kernel is not buried", () => {
  const { clock, kernel } = setUp();
  kernel.deaf = true;
  clock.advance(70_000);
  expect(kernel.sent.length).toBeLessThan(75);
});

test("a page that comes late hears everything from the first event, in order", () => {
  const clock = new HandClock();
  const kernel = new ScriptedKernel(clock);
  for (let number = 1; number <= 30; number += 1) kernel.emit("n", { number });
  clock.advance(100);
  const channel = new Channel(kernel, new Scope(), { clock });
  const numbers: unknown[] = [];
  channel.onEvent((event) => numbers.push(event.data["number"]));
  kernel.emit("n", { number: 31 });
  clock.advance(1_000);
  expect(numbers).toEqual(Array.from({ length: 31 }, (_, index) => index + 1));
});

test("a gap stands for all its events, also when it comes early or covers what came early", () => {
  const { clock, kernel, events, channel } = setUp();
  clock.advance(300);
  const say = (seq: number): void => kernel.post({ v: 1, kind: "event", seq, name: "n", data: { seq } });
  say(9);
  say(4);
  kernel.post({ v: 1, kind: "gap", seq: 2, upto: 5 });
  clock.advance(20);
  expect(channel.have).toBe(0);
  say(1);
  clock.advance(20);
  expect(channel.have).toBe(5);
  kernel.post({ v: 1, kind: "gap", seq: 3, upto: 8 });
  kernel.post({ v: 1, kind: "gap", seq: 3, upto: 2 });
  clock.advance(20);
  expect(channel.have).toBe(9);
  expect(events.map((event) => event.seq)).toEqual([1, 9]);
});

test("two pages of one model each hear every event once, and neither takes the other's answers", async () => {
  const { clock, kernel, channel, events } = setUp();
  clock.advance(20);
  kernel.emit("a", {});
  clock.advance(20);
  const second = new Channel(kernel, new Scope(), { clock, page: "p2" });
  const heard: KernelEvent[] = [];
  second.onEvent((event) => heard.push(event));
  kernel.respond = (request) => ({ kind: "result", data: { for: request.name } });
  const answers = Promise.all([channel.request("one", {}), second.request("two", {})]);
  kernel.emit("b", {});
  clock.advance(1_000);
  expect(events.map((event) => event.name)).toEqual(["a", "b"]);
  expect(heard.map((event) => event.name)).toEqual(["a", "b"]);
  expect(await answers).toMatchObject([{ data: { for: "one" } }, { data: { for: "two" } }]);
});

describe.each(Array.from({ length: 12 }, (_, seed) => seed + 1))(
  "on a line that loses, doubles and overtakes, seed %i",
  (seed) => {
    test("every message arrives once and in order, both ways, and every request is answered", async () => {
      const roll = dice(seed);
      const line = rough(roll, 0.1 + 0.3 * roll(), 0.2);
      const { clock, kernel, channel, events } = setUp({
        toKernel: line,
        toPage: line,
        expecting: () => true,
      });
      kernel.respond = (heard) => ({ kind: "result", data: { echo: Number(heard.data["number"]) } });
      for (let number = 1; number <= 150; number += 1) {
        channel.emit("frame", { number }, [new Int16Array([number])]);
        kernel.emit("n", { number });
        if (roll() < 0.3) clock.advance(roll() * 60);
      }
      settle(clock, () => channel.waiting === 0 && events.length === 150);
      const expected = Array.from({ length: 150 }, (_, index) => index + 1);
      expect(events.map((event) => event.data["number"])).toEqual(expected);
      expect(kernel.heard.map((heard) => heard.data["number"])).toEqual(expected);
      expect(
        kernel.heard.map((heard) => new Int16Array(heard.buffers[0]?.buffer ?? new ArrayBuffer(2))[0]),
      ).toEqual(expected);
    });
  },
);

test("at most 32 messages are unacknowledged", () => {
  const { clock, kernel, channel } = setUp();
  clock.advance(300);
  kernel.deaf = true;
  for (let number = 0; number < 100; number += 1) channel.emit("frame", { number });
  clock.advance(400);
  expect(kernel.sent.filter((message) => message["kind"] === "event")).toHaveLength(32);
  kernel.deaf = false;
  clock.advance(5_000);
  expect(kernel.heard).toHaveLength(100);
  expect(channel.waiting).toBe(0);
});

test("nothing confirmed for 3 s while something waits is silence, and it ends with the next confirmation", () => {
  const { clock, kernel, channel } = setUp();
  clock.advance(300);
  clock.advance(60_000);
  expect(channel.link.value).toBe("open");
  kernel.deaf = true;
  channel.emit("view", { delta: 1 });
  clock.advance(2_900);
  expect(channel.link.value).toBe("open");
  clock.advance(200);
  expect(channel.link.value).toBe("silent");
  const knocks = kernel.sent.length;
  clock.advance(60_000);
  expect(kernel.sent.length - knocks).toBeLessThan(12);
  kernel.deaf = false;
  clock.advance(9_000);
  expect(channel.link.value).toBe("open");
  expect(kernel.heard).toHaveLength(1);
});

test("a lost last event is asked for while one is expected, and not otherwise", () => {
  let lossy = false;
  let expecting = false;
  const { clock, kernel, events } = setUp({
    toPage: () => (lossy ? [] : steady()),
    expecting: () => expecting,
  });
  clock.advance(300);
  lossy = true;
  kernel.emit("turn.ended", {});
  clock.advance(100);
  lossy = false;
  clock.advance(60_000);
  expect(events).toHaveLength(0);
  expecting = true;
  clock.advance(5_000);
  expect(events.map((event) => event.name)).toEqual(["turn.ended"]);
});

test("a request gets the kernel's result, error or cancel, each exactly once", async () => {
  const { clock, kernel, channel } = setUp();
  clock.advance(300);
  kernel.respond = (heard) => {
    if (heard.name === "good")
      return { kind: "result", data: { turn: "t1" }, buffers: [new DataView(new ArrayBuffer(3))] };
    if (heard.name === "bad") return { kind: "error", data: { name: "AudioError", message: "not sound" } };
    return { kind: "cancelled" };
  };
  const all = Promise.all(["good", "bad", "gone"].map((name) => channel.request(name, {})));
  clock.advance(300);
  const [good, bad, gone] = await all;
  expect(good).toMatchObject({ kind: "result", data: { turn: "t1" } });
  expect(good?.kind === "result" ? good.buffers[0]?.byteLength : 0).toBe(3);
  expect(bad).toEqual({ kind: "error", name: "AudioError", message: "not sound" });
  expect(gone).toEqual({ kind: "cancelled" });
});

test("closing the scope cancels what is open and leaves no listener and no timer", async () => {
  const { clock, kernel, scope, channel } = setUp();
  clock.advance(300);
  kernel.respond = () => null;
  const open = channel.request("send", {});
  channel.emit("view", { delta: 1 });
  scope.close();
  expect(await open).toEqual({ kind: "cancelled" });
  expect(await channel.request("send", {})).toEqual({ kind: "cancelled" });
  expect(kernel.listeners).toBe(0);
  clock.advance(1_000);
  expect(clock.waiting).toBe(0);
  expect(scope.size).toBe(0);
});

test("messages that make no sense are logged and change nothing", async () => {
  const { clock, kernel, channel, events } = setUp();
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  clock.advance(300);
  let answer: Answer | null = null;
  kernel.respond = () => null;
  void channel.request("send", {}).then((given) => (answer = given));
  const nonsense: unknown[] = [
    null,
    7,
    "event",
    [],
    {},
    { v: 2, kind: "event", seq: 1, name: "x", data: {} },
    { v: 1, kind: "event", seq: 0.5, name: "x", data: {} },
    { v: 1, kind: "event", seq: -1, name: "x", data: {} },
    { v: 1, kind: "event", seq: "1", name: "x", data: {} },
    { v: 1, kind: "event", seq: 1, name: "x" },
    { v: 1, kind: "ack", page: "p1" },
    { v: 1, kind: "result", page: "p1" },
    { v: 1, kind: "constructor", page: "p1", id: "x" },
  ];
  for (const message of nonsense) kernel.post(message);
  clock.advance(20);
  expect(warned).toHaveBeenCalledTimes(nonsense.length);
  kernel.post({ v: 1, kind: "ack", page: "p1", seq: 999 });
  kernel.post({ v: 1, kind: "result", page: "p1", id: "nobody", data: {} });
  clock.advance(20);
  await Promise.resolve();
  expect(events).toEqual([]);
  expect(answer).toBeNull();
  warned.mockRestore();
});

test("a handler that throws does not stop the events that follow, nor the other handlers", () => {
  const { clock, kernel, channel, events } = setUp();
  const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
  channel.onEvent(() => {
    throw new Error("broken view");
  });
  kernel.emit("a", {});
  kernel.emit("b", {});
  clock.advance(1_000);
  expect(events.map((event) => event.name)).toEqual(["a", "b"]);
  expect(complaint).toHaveBeenCalledTimes(2);
  complaint.mockRestore();
});
