import { afterEach, expect, test, vi } from "vitest";
import MONEY from "../../tests/contract/pad_money.v1.json";
import PARAMS from "../../tests/contract/pad_settings.v1.json";
import SAVED from "../../tests/contract/turn.v1.json";
import { pageAudio } from "../audio/context";
import { Scope } from "../core/scope";
import type { JsonObject } from "../rpc";
import { Store, type StoreParts } from "../widgets/store";
import { HandClock } from "./hand-clock";
import { RingSpeakers, settled } from "./ring-speakers";
import { ScriptedKernel } from "./scripted-kernel";

const NOW_MS = Date.parse("2026-11-23T10:15:02Z");
const STATE = {
  model: "gpt-audio",
  voice: "marin",
  badge: "",
  notice: "",
  ...MONEY,
  journal: "/j",
};

function form(id: string, change: JsonObject = {}): JsonObject {
  const reply = { ...SAVED.reply, text: "", sound: null };
  return { ...SAVED, id, state: "running", asked_at: "2026-11-23T10:15:00Z", reply, ...change };
}

function ended(id: string, change: JsonObject = {}): JsonObject {
  return { ...form(id), state: "complete", reply: SAVED.reply, ...change };
}

function pcm(frames: number): DataView {
  return new DataView(new Int16Array(frames).fill(9).buffer);
}

function setUp(parts: StoreParts = {}) {
  const clock = new HandClock();
  const kernel = new ScriptedKernel(clock);
  const speakers = new RingSpeakers();
  const open = (more: StoreParts = {}) => {
    const scope = new Scope();
    const store = new Store(kernel, scope, { clock, speakers, today_ms: () => NOW_MS, ...parts, ...more });
    return { scope, store };
  };
  const say = (name: string, data: JsonObject, buffers: readonly DataView[] = []): void => {
    kernel.emit(name, data, buffers);
    clock.advance(20);
  };
  return { clock, kernel, speakers, open, say, ...open() };
}

afterEach(() => {
  const page = pageAudio();
  page.speaking = null;
  page.waiting.length = 0;
  page.live.clear();
});

test("a turn appears when it starts, grows as it streams, and is replaced when it ends", async () => {
  const { store, say, speakers, clock } = setUp();
  clock.advance(300);
  say("pad.state", STATE);
  say("turn.started", { turn: "t1", card: form("t1") });
  const [turn] = store.turns.value;
  const texts: string[] = [];
  turn?.card.subscribe((card) => texts.push(card.reply.text));
  say("turn.text", { turn: "t1", text: "The capital " });
  say("turn.text", { turn: "t1", text: "is Paris." });
  say("turn.audio", { turn: "t1", start_frame: 0, sample_rate_hz: 24_000 }, [pcm(12_000)]);
  expect(store.turns.value[0]?.card.value.reply.sound?.peaks).toHaveLength(10);
  say("turn.progress", { turn: "t1", speech_s: 0.5 });
  await settled();
  expect([...new Set(texts)]).toEqual(["", "The capital ", "The capital is Paris."]);
  expect(turn?.progress_s.value).toBe(0.5);
  expect(turn?.player.phase.value).toBe("playing");
  say("turn.ended", { turn: "t1", card: ended("t1") });
  expect(turn?.card.value).toMatchObject({
    state: "complete",
    reply: { text: "The capital of France is Paris." },
  });
  speakers.render(1);
  expect(turn?.player.phase.value).toBe("ended");
  expect(store.pad.state.value).toEqual({ ...STATE, settings: null });
  expect(store.pad.turns.value).toHaveLength(1);
  expect(store.listen.turn.value).toBe(turn);
});

test("the times of words are added as they come, and the whole reply's take their place", () => {
  const { store, say, clock } = setUp();
  clock.advance(300);
  say("turn.started", { turn: "t1", card: form("t1") });
  const card = () => store.turns.value[0]?.card.value;
  say("turn.text", { turn: "t1", text: "The capital " });
  expect(card()?.words).toEqual([]);
  say("turn.text", { turn: "t1", text: "is ", words: [[0, 3, 0, 0.2]], words_estimated: true });
  say("turn.text", { turn: "t1", text: "", words: [[4, 11, 0.2, 0.7]], words_estimated: true });
  expect(card()?.words.map(({ from, start_s }) => [from, start_s])).toEqual([
    [0, 0],
    [4, 0.2],
  ]);
  expect(card()).toMatchObject({ words_estimated: true, reply: { text: "The capital is " } });
  say("turn.ended", { turn: "t1", card: ended("t1", { words: [[0, 3, 0.1, 0.3]] }) });
  expect(card()).toMatchObject({ words: [{ from: 0, start_s: 0.1 }], words_estimated: false });
});

test("a turn that leaves the pad leaves nothing in it", async () => {
  const { store, scope, say, clock } = setUp();
  clock.advance(300);
  say("pad.state", STATE);
  say("turn.started", { turn: "t1", card: form("t1") });
  clock.advance(5_000);
  const before = scope.size;
  for (let n = 2; n < 12; n += 1) {
    const turn = `t${n}`;
    say("turn.started", { turn, card: form(turn) });
    say("turn.audio", { turn, start_frame: 0, sample_rate_hz: 24_000 }, [pcm(12_000)]);
    say("turn.ended", { turn, card: ended(turn) });
    store.turns.value.at(-1)?.said(0);
    await settled();
  }
  say("pad.turns", { turns: [{ turn: "t1" }] });
  clock.advance(5_000);
  expect(store.turns.value).toHaveLength(1);
  expect(scope.size).toBe(before);
  expect(pageAudio().live.size).toBe(0);
});

test("a page that is reloaded draws the same from the log, and plays nothing that was over long ago", async () => {
  const { store, say, open, clock } = setUp();
  clock.advance(300);
  say("pad.state", STATE);
  say("turn.started", { turn: "t1", card: form("t1", { asked_at: "2026-11-23T09:00:00Z" }) });
  say("turn.text", { turn: "t1", text: "Paris." });
  say("turn.audio", { turn: "t1", start_frame: 0, sample_rate_hz: 24_000 }, [pcm(12_000)]);
  say("turn.ended", { turn: "t1", card: ended("t1") });
  const reloaded = open();
  clock.advance(1_000);
  await settled();
  const card = (from: Store) => from.turns.value[0]?.card.value;
  expect(card(reloaded.store)).toEqual(card(store));
  expect(reloaded.store.turns.value[0]?.player.duration_s.value).toBe(0.5);
  expect(reloaded.store.turns.value[0]?.player.phase.value).toBe("ready");
});

test("a turn that still runs is heard even when the clocks of kernel and page disagree", async () => {
  const { store, say, clock } = setUp();
  clock.advance(300);
  say("turn.started", { turn: "t1", card: form("t1", { asked_at: "2020-01-01T00:00:00Z" }) });
  say("turn.audio", { turn: "t1", start_frame: 0, sample_rate_hz: 24_000 }, [pcm(12_000)]);
  clock.advance(400);
  await settled();
  expect(store.turns.value[0]?.player.phase.value).toBe("playing");
});

test("a finished turn whose sound was dropped from the log fetches it on play", async () => {
  const decode = vi.fn(() => Promise.resolve(new Int16Array(12_000).fill(5)));
  const { store, say, kernel, clock, speakers } = setUp({ decode });
  kernel.respond = () => ({
    kind: "result",
    data: { mime: "audio/mpeg" },
    buffers: [new DataView(new ArrayBuffer(7))],
  });
  clock.advance(300);
  say("turn.started", { turn: "t1", card: form("t1") });
  say("turn.ended", { turn: "t1", card: ended("t1") });
  const player = store.turns.value[0]?.player;
  expect([player?.phase.value, player?.duration_s.value]).toEqual(["ready", 1.89]);
  player?.play();
  await settled();
  clock.advance(300);
  await settled();
  expect(kernel.heard.at(-1)).toMatchObject({ name: "sound", data: { turn: "t1" } });
  speakers.render(1);
  expect(speakers.heard).toHaveLength(12_000);
});

test("stop is asked once, and the page is quiet at once", async () => {
  const { store, say, kernel, clock } = setUp();
  clock.advance(300);
  say("turn.started", { turn: "t1", card: form("t1") });
  say("turn.audio", { turn: "t1", start_frame: 0, sample_rate_hz: 24_000 }, [pcm(24_000)]);
  await settled();
  store.turns.value[0]?.stop();
  clock.advance(300);
  expect(kernel.heard.map((heard) => heard.name)).toEqual(["stop"]);
  expect(store.turns.value[0]?.player.phase.value).toBe("paused");
  say("turn.ended", { turn: "t1", card: ended("t1", { state: "stopped" }) });
  store.turns.value[0]?.stop();
  clock.advance(300);
  expect(kernel.heard).toHaveLength(1);
});

test("a turn that the kernel stopped falls silent", async () => {
  const { store, say, clock } = setUp();
  clock.advance(300);
  say("turn.started", { turn: "t1", card: form("t1") });
  say("turn.audio", { turn: "t1", start_frame: 0, sample_rate_hz: 24_000 }, [pcm(48_000)]);
  await settled();
  say("turn.ended", { turn: "t1", card: ended("t1", { state: "stopped" }) });
  expect(store.turns.value[0]?.player.phase.value).toBe("paused");
});

test("what is sent goes once, and a failure is said until the next success", async () => {
  const { store, kernel, clock } = setUp();
  clock.advance(300);
  kernel.respond = () => ({ kind: "error", data: { name: "QuotaError", message: "The money is used up." } });
  store.pad.sendText("hello");
  store.pad.sendText("hello");
  clock.advance(300);
  await settled();
  expect(kernel.heard).toHaveLength(1);
  expect(store.pad.trouble.value).toBe("The money is used up.");
  kernel.respond = () => ({ kind: "result", data: { turn: "t1" } });
  store.pad.sendText("hello");
  clock.advance(300);
  await settled();
  expect(store.pad.trouble.value).toBe("");
});

test("a take is gone from review when it was sent, also when a new page hears the whole story", async () => {
  const { store, say, kernel, clock, open } = setUp();
  clock.advance(300);
  say("take.ready", { take: "k1", duration_s: 1, peaks: [0.5], sentence: "" });
  expect(store.recorder.phase.value).toMatchObject({ kind: "review", take: { take: "k1" } });
  kernel.respond = () => ({ kind: "result", data: { turn: "t1" } });
  store.listen.sendTake("k1");
  clock.advance(300);
  await settled();
  expect(kernel.heard.at(-1)).toMatchObject({ name: "send", data: { take: "k1" } });
  expect(store.recorder.phase.value.kind).toBe("idle");
  say("turn.started", { turn: "t1", card: form("t1") });
  const reloaded = open();
  clock.advance(1_000);
  expect(reloaded.store.recorder.phase.value.kind).toBe("idle");
});

test("a notice stands on the card while it runs, once, also when the story is told again", () => {
  const { store, say, clock, open } = setUp();
  clock.advance(300);
  say("turn.started", { turn: "t1", card: form("t1", { notices: ["Known."] }) });
  say("turn.notice", { turn: "t1", notice: "Known." });
  say("turn.notice", { turn: "t1", notice: "Busy; asked again." });
  say("turn.notice", { turn: "nobody", notice: "Lost." });
  const notices = (from: Store) => from.turns.value[0]?.card.value.notices;
  expect(notices(store)).toEqual(["Known.", "Busy; asked again."]);
  const reloaded = open();
  clock.advance(1_000);
  expect(notices(reloaded.store)).toEqual(["Known.", "Busy; asked again."]);
  say("turn.ended", { turn: "t1", card: ended("t1", { notices: ["At the end."] }) });
  say("turn.notice", { turn: "t1", notice: "Too late." });
  expect(notices(store)).toEqual(["At the end."]);
});

test("what is set goes to the kernel, and holds when the kernel has taken it", async () => {
  const { store, say, kernel, clock } = setUp();
  clock.advance(300);
  say("pad.state", { ...STATE, settings: PARAMS });
  const values = () => Object.fromEntries(store.pad.state.value.settings?.values ?? []);
  kernel.respond = () => ({ kind: "result", data: { values: { seed: 5 } } });
  const taken = store.pad.set({ seed: 5, temperature: null });
  clock.advance(300);
  expect(await taken).toBe("");
  expect(kernel.heard.at(-1)).toMatchObject({
    name: "settings",
    data: { values: { seed: 5, temperature: null } },
  });
  expect(values()).toEqual({ seed: 5 });
  const message = "seed='x': expected a whole number";
  kernel.respond = () => ({ kind: "error", data: { name: "UsageError", message } });
  const refused = store.pad.set({ seed: "x" });
  clock.advance(300);
  expect(await refused).toBe(message);
  expect(values()).toEqual({ seed: 5 });
});

test("a pad that is closed takes nothing more, and says so", async () => {
  const { store, scope, clock } = setUp();
  clock.advance(300);
  const pending = store.pad.set({ seed: 5 });
  scope.close();
  expect(await pending).toContain("run the cell again");
});

test("listening says how it stands", () => {
  const { store, say, clock } = setUp();
  clock.advance(300);
  say("listen.state", { phase: "late", sentence: "This kernel cannot wait." });
  expect([store.listen.phase.value, store.listen.sentence.value]).toEqual([
    "late",
    "This kernel cannot wait.",
  ]);
});

test("events that are wrong or unknown change nothing, and a broken end does not leave a card running", () => {
  const { store, say, clock } = setUp();
  const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const warning = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  clock.advance(300);
  say("turn.started", { turn: "t1", card: { version: 9 } });
  say("turn.started", { turn: "t1", card: form("t1") });
  say("turn.text", { turn: "nobody", text: "x" });
  say("turn.text", { turn: "t1", text: 5 });
  say("turn.audio", { turn: "t1", start_frame: 0, sample_rate_hz: 24_000 });
  say("turn.audio", { turn: "t1", start_frame: 0, sample_rate_hz: 1 }, [pcm(10)]);
  say("turn.audio", { turn: "t1", start_frame: -5, sample_rate_hz: 24_000 }, [pcm(10)]);
  say("turn.progress", { turn: "t1", speech_s: "long" });
  say("listen.state", { phase: "dancing", sentence: "" });
  say("fashion", {});
  expect(warning).toHaveBeenCalledOnce();
  expect(complaint).toHaveBeenCalledTimes(7);
  expect(store.turns.value[0]?.card.value).toMatchObject({ state: "running", reply: { text: "" } });
  expect(store.turns.value[0]?.player.phase.value).toBe("empty");
  say("turn.ended", { turn: "t1", card: { version: 1 } });
  expect(store.turns.value[0]?.card.value.state).toBe("failed");
  complaint.mockRestore();
  warning.mockRestore();
});

test("views are counted, and a running reply falls silent when the last one has gone for good", async () => {
  const { store, say, kernel, clock } = setUp();
  clock.advance(300);
  say("turn.started", { turn: "t1", card: form("t1") });
  const first = store.viewed();
  say("turn.audio", { turn: "t1", start_frame: 0, sample_rate_hz: 24_000 }, [pcm(48_000)]);
  await settled();
  first();
  first();
  const second = store.viewed();
  clock.advance(1_000);
  expect(store.turns.value[0]?.player.phase.value).toBe("playing");
  second();
  clock.advance(1_000);
  expect(store.turns.value[0]?.player.phase.value).toBe("paused");
  expect(kernel.heard.map((heard) => heard.data["delta"])).toEqual([1, -1, 1, -1]);
});

test("closing the model leaves no listener, no timer and no player that is silent", async () => {
  const { store, scope, say, kernel, clock } = setUp();
  clock.advance(300);
  say("turn.started", { turn: "t1", card: form("t1") });
  say("turn.audio", { turn: "t1", start_frame: 0, sample_rate_hz: 24_000 }, [pcm(2_400)]);
  store.viewed()();
  await settled();
  scope.close();
  clock.advance(5_000);
  expect(kernel.listeners).toBe(0);
  expect(clock.waiting).toBe(0);
  expect(scope.size).toBe(0);
  expect(pageAudio().live.size).toBe(0);
});

test("a pad shows the turns that the conversation has now, in its order and with its marks", async () => {
  const { store, say, clock } = setUp();
  clock.advance(300);
  for (const id of ["t1", "t2", "t3"]) {
    say("turn.started", { turn: id, card: form(id) });
    say("turn.ended", { turn: id, card: ended(id) });
  }
  say("turn.started", { turn: "t4", card: form("t4") });
  const ids = () => store.turns.value.map((turn) => turn.id);
  say("pad.turns", { turns: [{ turn: "t1" }, { turn: "t4" }, { turn: "t2" }, { turn: "t3" }] });
  expect(ids()).toEqual(["t1", "t4", "t2", "t3"]);
  say("turn.ended", { turn: "t4", card: ended("t4") });
  say("pad.turns", {
    turns: [{ turn: "t4", versions: { k: 2, of: 2 } }, { turn: "t2", stale: true }, { turn: "t9" }],
  });
  expect(ids()).toEqual(["t4", "t2"]);
  expect(store.turns.value.map(({ card }) => [card.value.stale, card.value.versions])).toEqual([
    [false, { k: 2, of: 2, ids: [] }],
    [true, null],
  ]);
  say("turn.started", { turn: "t1", card: form("t1") });
  say("turn.ended", { turn: "t1", card: ended("t1") });
  say("pad.turns", { turns: [{ turn: "t1" }, { turn: "t4" }] });
  expect(ids()).toEqual(["t1", "t4"]);
});

test("the sound of a turn that leaves the conversation stops", async () => {
  const { store, say, clock } = setUp();
  clock.advance(300);
  say("turn.started", { turn: "t1", card: form("t1") });
  say("turn.audio", { turn: "t1", start_frame: 0, sample_rate_hz: 24_000 }, [pcm(48_000)]);
  await settled();
  const player = store.turns.value[0]?.player;
  expect(player?.phase.value).toBe("playing");
  say("pad.turns", { turns: [] });
  await settled();
  expect(store.turns.value).toEqual([]);
  expect(pageAudio().speaking).toBeNull();
});
