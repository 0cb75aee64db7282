import { expect, test } from "vitest";
import FULL from "../../tests/contract/turn.v1.full.json";
import SAVED from "../../tests/contract/turn.v1.json";
import { Scope } from "../core/scope";
import type { JsonObject } from "../rpc";
import { Store } from "../widgets/store";
import { HandClock } from "./hand-clock";
import { RingSpeakers, settled } from "./ring-speakers";
import { ScriptedKernel } from "./scripted-kernel";

const CALLS = FULL.tool_calls as unknown as JsonObject[];
const WAITING: JsonObject = { ...CALLS[3], state: "waiting", error: null, ended_s: null };

function setUp() {
  const clock = new HandClock();
  const kernel = new ScriptedKernel(clock);
  const store = new Store(kernel, new Scope(), { clock, speakers: new RingSpeakers(), today_ms: () => 0 });
  const say = (name: string, data: JsonObject): void => {
    kernel.emit(name, data);
    clock.advance(20);
  };
  clock.advance(300);
  say("turn.started", { turn: "t1", card: { ...SAVED, id: "t1", state: "running" } });
  const [turn] = store.turns.value;
  if (turn === undefined) throw new Error("the turn did not start");
  return { clock, kernel, say, turn };
}

test("calls and their course are what the kernel said last, until the card that ends the turn", () => {
  const { say, turn } = setUp();
  say("turn.tools", { turn: "t1", tool_calls: [WAITING], trace: FULL.trace });
  say("turn.tools", { turn: "t1", tool_calls: CALLS, trace: FULL.trace });
  expect(turn.card.value.tool_calls.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "temperature done",
    "forecast done",
    "remember failed",
    "send_mail rejected",
  ]);
  expect(turn.card.value.trace).toHaveLength(8);
  say("turn.ended", { turn: "t1", card: { ...SAVED, id: "t1" } });
  say("turn.tools", { turn: "t1", tool_calls: [WAITING], trace: [] });
  expect(turn.card.value.tool_calls).toEqual([]);
});

test("an object grows with each word of the kernel", () => {
  const { say, turn } = setUp();
  say("turn.partial", { turn: "t1", partial: { city: "Zür" } });
  expect(turn.card.value.partial).toEqual({ city: "Zür" });
  say("turn.partial", { turn: "t1", partial: { city: "Zürich" } });
  expect(turn.card.value.partial).toEqual({ city: "Zürich" });
});

test("a decision goes with the call's hash, and what the kernel says against it comes back", async () => {
  const { clock, kernel, say, turn } = setUp();
  say("turn.tools", { turn: "t1", tool_calls: [WAITING], trace: [] });
  const [call] = turn.card.value.tool_calls;
  const answer = turn.decide(call!, { action: "approve", args: { to: "ada" }, reason: "" });
  clock.advance(50);
  expect(await answer).toBe("");
  expect(kernel.heard.at(-1)).toMatchObject({
    name: "turn.decide",
    data: { turn: "t1", call: "call_4", hash: "1234567890ab", action: "approve", arguments: { to: "ada" } },
  });
  kernel.respond = () => ({ kind: "error", data: { name: "UsageError", message: "it was decided before" } });
  const refused = turn.decide(call!, { action: "reject", reason: "no" });
  clock.advance(50);
  expect(await refused).toBe("it was decided before");
  expect(kernel.heard.at(-1)?.data).not.toHaveProperty("arguments");
});

test("another version comes once, with a sound of its own, and one that cannot come says why", async () => {
  const { clock, kernel, turn } = setUp();
  kernel.respond = ({ data }) => ({ kind: "result", data: { card: { ...SAVED, id: String(data["turn"]) } } });
  const first = turn.version("t0");
  clock.advance(50);
  const other = await first;
  if (typeof other === "string") throw new Error(other);
  expect([other.card.value.id, other.player.phase.value]).toEqual(["t0", "ready"]);
  expect(await turn.version("t0")).toBe(other);
  expect(kernel.heard.filter(({ name }) => name === "version")).toHaveLength(1);
  kernel.respond = () => ({ kind: "result", data: { card: { version: 9 } } });
  const newer = turn.version("t9");
  clock.advance(50);
  await settled();
  expect(await newer).toContain("saved in form 9");
});

test("what was said is fetched by its part, when somebody wants to hear it", async () => {
  const { clock, kernel, turn } = setUp();
  expect(turn.said(0)).toBeNull();
  const player = turn.said(1);
  expect(turn.said(1)).toBe(player);
  expect([player?.phase.value, player?.duration_s.value]).toEqual(["ready", 1.62]);
  expect(kernel.heard.filter(({ name }) => name === "sound")).toEqual([]);
  kernel.respond = () => ({ kind: "error", data: { name: "UsageError", message: "no sound" } });
  player?.play();
  clock.advance(50);
  expect(kernel.heard.at(-1)).toMatchObject({ name: "sound", data: { turn: "t1", part: 1 } });
});

test("another choice's sound is fetched by its index, when somebody wants to hear it", () => {
  const { clock, kernel, say, turn } = setUp();
  expect(turn.choice(1)).toBeNull();
  say("turn.ended", { turn: "t1", card: { ...FULL, id: "t1" } });
  const player = turn.choice(1);
  expect(turn.choice(1)).toBe(player);
  expect(turn.choice(2)).toBeNull();
  expect([player?.phase.value, player?.duration_s.value]).toEqual(["ready", 3.4]);
  kernel.respond = () => ({ kind: "error", data: { name: "UsageError", message: "no sound" } });
  player?.play();
  clock.advance(50);
  expect(kernel.heard.at(-1)).toMatchObject({ name: "sound", data: { turn: "t1", choice: 1 } });
});

test("what came over the wire comes from the kernel, or why there is none of it", async () => {
  const { clock, kernel, turn } = setUp();
  const event = { at_s: 0.4, round: 1, status: null, size_bytes: 9, text: "[DONE]" };
  kernel.respond = () => ({
    kind: "result",
    data: { events: [event], left_out: 2, left_out_at: 1, why: "" },
  });
  const found = turn.rawEvents();
  clock.advance(50);
  expect(await found).toEqual({ events: [event], left_out: 2, left_out_at: 1, why: "" });
  expect(kernel.heard.at(-1)).toMatchObject({ name: "events", data: { turn: "t1" } });
  kernel.respond = () => ({
    kind: "result",
    data: { events: [], left_out: 0, left_out_at: null, why: "read from a journal" },
  });
  const none = turn.rawEvents();
  clock.advance(50);
  expect(await none).toBe("read from a journal");
  kernel.respond = () => ({ kind: "result", data: { events: [{ at_s: "soon" }] } });
  const broken = turn.rawEvents();
  clock.advance(50);
  expect(await broken).toContain("events.events[0].at_s should be a number");
});

test("all probabilities come from the kernel, and what it says against it is told", async () => {
  const { clock, kernel, turn } = setUp();
  kernel.respond = () => ({ kind: "result", data: { logprobs: FULL.logprobs } });
  const all = turn.allLogprobs();
  clock.advance(50);
  expect(await all).toMatchObject({ more: 1, mean_logprob: -0.4161 });
  kernel.respond = () => ({ kind: "result", data: { logprobs: null } });
  const none = turn.allLogprobs();
  clock.advance(50);
  expect(await none).toContain("logprobs should be an object");
});
