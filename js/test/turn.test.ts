import { describe, expect, it } from "vitest";
import money from "../../tests/contract/pad_money.v1.json";
import example from "../../tests/contract/turn.v1.json";
import { bars, growingAxis_s } from "../core/bars";
import { clock, seconds, stopwatch, usd } from "../core/format";
import { parsePad, parseTurn } from "../core";

type Json = Record<string, unknown>;

/** What a form without the optional parts is read as. */
const UNMARKED = {
  stale: false,
  versions: null,
  logprobs: null,
  logprobs_why: "",
  words: [],
  words_estimated: false,
  tool_calls: [],
  trace: [],
  parsed: null,
  parsed_error: null,
  partial: null,
  request: null,
  other_choices: null,
  facts: {
    ...example.facts,
    seed: null,
    fingerprint: null,
    upload_s: null,
    first_byte_s: null,
    first_words_s: null,
    rungs: null,
    cost_parts: [],
  },
};

/** The example of the contract with one place changed; `undefined` takes the place away. */
function withChange(path: readonly (string | number)[], value: unknown): Json {
  const copy = structuredClone(example) as unknown as Json;
  let place: Record<string | number, unknown> = copy;
  for (const key of path.slice(0, -1)) place = place[key] as Json;
  const last = path.at(-1) ?? "";
  if (value === undefined) Reflect.deleteProperty(place, last);
  else place[last] = value;
  return copy;
}

describe("the saved form of a turn", () => {
  it("is read whole", () => {
    expect(parseTurn(example)).toEqual({ ...example, ...UNMARKED });
  });

  it("may hold keys that this version does not know", () => {
    const newer = withChange(["reply", "mood"], "calm");
    expect(parseTurn({ ...newer, weather: [] })).toEqual({ ...example, ...UNMARKED });
  });

  it.each([
    [["state"], "asleep", "turn.state should be one of running, complete"],
    [["reply", "text"], undefined, "turn.reply.text should be text, but is nothing"],
    [
      ["reply", "sound", "duration_s"],
      "long",
      'turn.reply.sound.duration_s should be a number, but is "long"',
    ],
    [["reply", "sound", "peaks", 2], null, "turn.reply.sound.peaks[2] should be a number, but is null"],
    [["input", 1, "duration_s"], -1, "turn.input[1].duration_s should be 0 or more, but is -1"],
    [["input", 0, "kind"], "smell", "turn.input[0].kind should be one of text, sound"],
    [
      ["facts", "usage", "total_tokens"],
      undefined,
      "turn.facts.usage.total_tokens should be a number, but is nothing",
    ],
    [["notices"], "one", "turn.notices should be a list"],
    [["facts"], [], "turn.facts should be an object"],
  ])("names the place of what is wrong: %j", (path, value, message) => {
    expect(() => parseTurn(withChange(path, value))).toThrow(message);
  });

  it("needs every key of the contract", () => {
    const places = leaves(example);
    expect(places.length).toBeGreaterThan(40);
    for (const path of places) {
      expect(() => parseTurn(withChange(path, undefined)), path.join(".")).toThrow(path.join("."));
    }
  });

  it("has the marks of its place in the conversation", () => {
    const marked = { ...example, stale: true, versions: { k: 1, of: 2 } };
    expect(parseTurn(marked)).toMatchObject({ stale: true, versions: { k: 1, of: 2, ids: [] } });
    expect(parseTurn({ ...marked, versions: { k: 1, of: 2, ids: ["a", "b"] } }).versions?.ids).toEqual([
      "a",
      "b",
    ]);
    expect(() => parseTurn({ ...example, versions: { k: 1 } })).toThrow(
      "turn.versions.of should be a number",
    );
  });

  it("of a newer version says what to do", () => {
    expect(() => parseTurn(withChange(["version"], 2))).toThrow(
      "saved in form 2, and this cellvoice reads form 1; update",
    );
  });

  it.each([null, undefined, 3, "turn", []])("is not %j", (document) => {
    expect(() => parseTurn(document)).toThrow("turn should be an object");
  });

  it("does not take a key from the prototype for its own", () => {
    expect(() => parseTurn(Object.create({ version: 1 }))).toThrow(
      "turn.version should be a number, but is nothing",
    );
  });
});

describe("the saved form of a pad", () => {
  const state = {
    model: "gpt-audio",
    voice: "alloy",
    badge: "",
    notice: "",
    price: { input_usd_per_s: 0.1, output_usd_per_s: 0.2, history_tokens: 7, history_usd: 0.3 },
    cost_usd: 1,
    budget: { limit_usd: 2, left_usd: 1 },
    journal: "",
  };

  it("is read whole", () => {
    const pad = { version: 1, pad: "k3", session: "s", state, turns: [example] };
    const turns = [{ ...example, ...UNMARKED }];
    expect(parsePad(pad)).toEqual({ pad: "k3", state: { ...state, settings: null }, turns });
  });

  it("may tell what was set", () => {
    const settings = { form: [], values: { temperature: 0.7 } };
    const pad = { version: 1, pad: "k3", session: "s", state: { ...state, settings }, turns: [] };
    expect(parsePad(pad).state.settings).toEqual({ form: [], values: new Map([["temperature", 0.7]]) });
  });

  it("that was saved before the history had a price has none, and no budget", () => {
    const price = { input_usd_per_s: 0.1, output_usd_per_s: 0.2 };
    const older = { ...state, price, budget: undefined };
    const pad = { version: 1, pad: "k3", session: "s", state: older, turns: [] };
    const read = parsePad(pad).state;
    expect(read.price).toEqual({ ...price, history_tokens: 0, history_usd: 0 });
    expect(read.budget).toBeNull();
  });

  it("has the money of the contract's example", () => {
    const pad = { version: 1, pad: "k3", session: "s", state: { ...state, ...money }, turns: [] };
    expect(parsePad(pad).state).toEqual({ ...state, ...money, settings: null });
  });

  it("may have no price, which is not the same as costing nothing", () => {
    const pad = { version: 1, pad: "k3", session: "s", state: { ...state, price: null }, turns: [] };
    expect(parsePad(pad).state.price).toBeNull();
  });

  it("names the place of what is wrong", () => {
    const pad = { version: 1, pad: "k3", session: "s", state: { ...state, cost_usd: null }, turns: [] };
    expect(() => parsePad(pad)).toThrow("pad.state.cost_usd should be a number, but is null");
  });
});

/** Every key of an object, also inside other objects; lists are left alone. */
function leaves(json: Json, before: readonly string[] = []): string[][] {
  return Object.entries(json).flatMap(([key, value]) => {
    const path = [...before, key];
    const inside = typeof value === "object" && value !== null && !Array.isArray(value);
    return inside ? [path, ...leaves(value as Json, path)] : [path];
  });
}

describe("bars", () => {
  const strokes = (path: string): number => path.split("M").length - 1;

  it("fill the width once all has arrived", () => {
    const paths = bars([0.5, 1, 0.2], 2, 2, 120, 40);
    expect(strokes(paths.heard)).toBe(30);
    expect(paths.ahead).toBe("");
  });

  it("leave dots for what is still to come", () => {
    const paths = bars([0.5, 1, 0.2, 0.1], 1, 4, 160, 40);
    expect(strokes(paths.heard)).toBe(10);
    expect(strokes(paths.ahead)).toBe(30);
  });

  it("stay inside their box whatever the peaks say", () => {
    const { heard } = bars([0, 1, 7, -2], 1, 1, 64, 36);
    for (const [, top, length] of heard.matchAll(/M\d+ ([\d.]+)v([\d.]+)/g)) {
      expect(Number(top)).toBeGreaterThanOrEqual(1.4);
      expect(Number(top) + Number(length)).toBeLessThanOrEqual(34.6);
    }
  });

  it("keep the loudest peak of those that share a bar", () => {
    const quiet = Array.from({ length: 1000 }, () => 0.01);
    const click = quiet.with(500, 1);
    const tallest = (path: string): number =>
      Math.max(...[...path.matchAll(/v([\d.]+)/g)].map(([, v]) => Number(v)));
    expect(tallest(bars(click, 1, 1, 100, 40).heard)).toBeCloseTo(37, 0);
    expect(tallest(bars(quiet, 1, 1, 100, 40).heard)).toBeLessThan(3);
  });

  it("grow over an axis that moves only when it is full", () => {
    expect([0, 1, 4, 4.1, 8, 9, 100].map(growingAxis_s)).toEqual([4, 4, 4, 8, 8, 16, 128]);
  });
});

describe("numbers", () => {
  it("are written for a listener", () => {
    expect([seconds(1.62), seconds(59.4), seconds(59.96), seconds(125)]).toEqual([
      "1.6 s",
      "59.4 s",
      "1 min 00 s",
      "2 min 05 s",
    ]);
    expect([clock(1.24), clock(3.2, 75), clock(75)]).toEqual(["1.2", "0:03", "1:15"]);
    expect([stopwatch(0), stopwatch(5.27), stopwatch(71.6)]).toEqual(["0:00.0", "0:05.2", "1:11.6"]);
    expect([usd(0), usd(0.00001), usd(0.0193), usd(0.5), usd(12)]).toEqual([
      "$0",
      "< $0.0001",
      "$0.0193",
      "$0.50",
      "$12.00",
    ]);
  });
});
