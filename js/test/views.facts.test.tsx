import { afterEach, describe, expect, it, vi } from "vitest";
import full from "../../tests/contract/turn.v1.full.json";
import { CardView, parseTurn, type TurnCard } from "../core";
import { ExpiryClock } from "../core/expiry-clock";
import type { RawEvents } from "../core/raw-events";
import { JsonTree } from "../core/json-tree";
import { FakePlayer, FakeTurn } from "./fake-ports";
import { act, CARD, click, one, place, show, unfold, words } from "./stage";

const FULL = parseTurn(full);

function facts(card: TurnCard): string {
  show(<CardView turn={new FakeTurn(card, new FakePlayer("ready", 2))} />);
  unfold(".cv-facts");
  return one(".cv-facts").textContent;
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the facts of a turn", () => {
  it("are where its money, its time and its memory went", () => {
    const shown = facts(FULL);
    for (const fact of [
      "upload0.12 s",
      "first byte0.30 s",
      "first words1.90 s",
      "seed7",
      "fingerprintfp_local_1",
      "history as1 as sound",
    ])
      expect(shown).toContain(fact);
    expect([...place.querySelectorAll(".cv-parts tr")].map((row) => row.textContent)).toEqual([
      "text in28 tokens$0.0001",
      "cached in64 tokens$0.0002",
      "sound in42 tokens$0.0013",
      "text out15 tokens$0.0001",
      "sound out42 tokens$0.0027",
    ]);
  });

  it("say in one line why there are no probabilities", () => {
    expect(facts({ ...CARD, logprobs_why: "gpt-audio gives no log probabilities" })).toContain(
      "probabilities" + "gpt-audio gives no log probabilities",
    );
  });

  it("have the request, and copy it with one click", async () => {
    const writeText = vi.fn<(text: string) => Promise<void>>(() => Promise.resolve());
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    expect(facts(FULL)).toContain("⟨wav 4.2 s⟩");
    click("Copy as JSON");
    await vi.waitFor(() => expect(words()).toContain("Copied"));
    expect(JSON.parse(writeText.mock.calls[0]![0])).toEqual(full.request);
  });

  it("say so where a page may not copy", async () => {
    vi.stubGlobal("navigator", {});
    facts(FULL);
    click("Copy as JSON");
    await vi.waitFor(() => expect(words()).toContain("Not allowed here: select the text and copy it"));
  });

  it("are drawn only once they are opened, for a page may have hundreds of cards", () => {
    show(<CardView turn={new FakeTurn(FULL)} />);
    expect(one(".cv-facts").children).toHaveLength(1);
  });

  it("count down how long the voice is remembered", () => {
    vi.useFakeTimers({ now: 0 });
    show(<ExpiryClock expires_at_s={61 * 60} />);
    expect(words()).toContain("1 h 1 min left, until");
    act(() => vi.advanceTimersByTime(31 * 60_000));
    expect(words()).toContain("30 min left, until");
    act(() => vi.advanceTimersByTime(31 * 60_000));
    expect(words()).toContain("gone since");
  });
});

describe("a JSON tree", () => {
  it("shows hostile keys and values as text, and long ones in part", () => {
    const evil = "<img src=x onerror=alert(1)>";
    show(
      <JsonTree
        value={{
          [evil]: evil,
          long: "x".repeat(1_000_000),
          many: Array.from({ length: 2_000 }, (_, n) => n),
        }}
      />,
    );
    expect(place.querySelector("img")).toBeNull();
    expect(place.textContent.length).toBeLessThan(40_000);
    expect(words()).toContain("… 1500 more");
  });
});

describe("an object that a schema asked for", () => {
  it("grows while it comes, and says when none could be made", () => {
    const turn = new FakeTurn({ ...CARD, state: "running", partial: { city: "Zür" } });
    show(<CardView turn={turn} />);
    expect(one(".cv-json").textContent).toContain('city: "Zür"');
    act(() => (turn.card.value = { ...turn.card.value, partial: { city: "Zürich", degrees: 18 } }));
    expect(one(".cv-json").textContent).toContain("degrees: 18");
    act(() => (turn.card.value = { ...CARD, partial: null, parsed_error: "degrees: expected a number" }));
    expect(words()).toContain("no object" + "degrees: expected a number");
  });
});

describe("versions of a turn", () => {
  it("are looked at one by one, and the conversation's own is come back to", async () => {
    const turn = new FakeTurn(FULL);
    const [first = ""] = FULL.versions?.ids ?? [];
    const earlier = { ...FULL, id: first, reply: { ...FULL.reply, text: "It is warm." }, words: [] };
    turn.others.set(first, new FakeTurn(earlier));
    show(<CardView turn={turn} />);
    expect(one("[aria-label='later version']").getAttribute("aria-disabled")).toBe("true");
    click("earlier version");
    await vi.waitFor(() => expect(one(".cv-text").textContent).toBe("It is warm."));
    expect(one(".cv-marks").textContent).toContain("version 1 of 2");
    click("later version");
    await vi.waitFor(() => expect(one(".cv-text").textContent).toBe(FULL.reply.text));
    expect(turn.asked).toEqual([`version ${first}`]);
  });

  it("that cannot be had say why; without a kernel there is no switch", async () => {
    show(<CardView turn={new FakeTurn(FULL)} />);
    click("earlier version");
    await vi.waitFor(() => expect(words()).toContain("there is no turn 20261123T101500-2"));
  });
});

describe("what came over the wire", () => {
  const head = '"id":"c1","object":"chat.completion.chunk"';
  const wire = (amount: number, left_out = 0): RawEvents => ({
    events: Array.from({ length: amount }, (_, index) => ({
      at_s: (40 + index) / 100,
      round: 1,
      status: null,
      size_bytes: index === 1 ? 22_640 : 240,
      text:
        index === 1
          ? `{${head},"choices":[{"index":0,"delta":{"audio":"⟨pcm16 0.35 s⟩"},"finish_reason":null}]}`
          : `{${head},"usage":null}`,
    })),
    left_out,
    left_out_at: left_out > 0 ? 2 : 0,
    why: "",
  });
  const rows = (): HTMLElement[] => [...place.querySelectorAll<HTMLElement>(".cv-event-row")];
  const opened = async (events: RawEvents | string): Promise<FakeTurn> => {
    const turn = new FakeTurn(FULL, new FakePlayer("ready", 2));
    turn.events = events;
    show(<CardView turn={turn} />);
    await open();
    return turn;
  };
  const open = async (): Promise<void> => {
    if (place.querySelector(".cv-events") === null) unfold(".cv-facts");
    const fold = one(".cv-events");
    const turned = new Promise((resolve) => fold.addEventListener("toggle", resolve, { once: true }));
    fold.toggleAttribute("open");
    await turned;
    await vi.waitFor(() => expect(words()).not.toContain("asking the kernel"));
  };

  it("is asked for when it is opened, and once", async () => {
    const turn = new FakeTurn(FULL, new FakePlayer("ready", 2));
    turn.events = wire(3);
    show(<CardView turn={turn} />);
    expect(turn.asked).toEqual([]);
    await open();
    await open();
    await open();
    expect(turn.asked).toEqual(["events"]);
    expect(one(".cv-events > summary").textContent).toContain("[ 3 ]");
  });

  it("is a line for each event: its time, its size and what is new in it", async () => {
    await opened(wire(3));
    expect(rows().map((row) => row.textContent)).toEqual([
      `0.400 s240 B{${head},"usage":null}`,
      '0.410 s22.6 kB{"audio":"⟨pcm16 0.35 s⟩"}',
      "0.420 s240 Bno content",
    ]);
  });

  it("shows the whole of one that is chosen, by hand or by key", async () => {
    await opened(wire(3));
    act(() => rows()[1]?.click());
    expect(one(".cv-event").textContent).toContain('audio: "⟨pcm16 0.35 s⟩"');
    expect(one(".cv-event").textContent).toContain("0.410 s after the request was sent, 22,640 bytes");
    const end = new KeyboardEvent("keydown", { key: "End", bubbles: true, cancelable: true });
    act(() => one(".cv-event-list").dispatchEvent(end));
    expect(end.defaultPrevented).toBe(true);
    expect(rows().map((row) => row.getAttribute("aria-selected"))).toEqual(["false", "false", "true"]);
  });

  it("says where events were not kept, and counts them", async () => {
    await opened(wire(4, 812));
    expect(rows()[2]?.textContent).toBe("… 812 events were not kept");
    expect(one(".cv-events > summary").textContent).toContain("[ 816 ]");
    act(() => rows()[3]?.click());
    expect(one(".cv-event").textContent).toContain("event 815,");
  });

  it("draws only the rows in sight", async () => {
    await opened(wire(5_000));
    expect(rows().length).toBeLessThan(60);
  });

  it("is copied as JSON lines with one click", async () => {
    const writeText = vi.fn<(text: string) => Promise<void>>(() => Promise.resolve());
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    await opened(wire(2));
    click("Copy all");
    await vi.waitFor(() => expect(words()).toContain("Copied"));
    const lines = writeText.mock.calls[0]![0].split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { at_s: 0.4, round: 1, event: { id: "c1", object: "chat.completion.chunk", usage: null } },
      {
        at_s: 0.41,
        round: 1,
        event: {
          id: "c1",
          object: "chat.completion.chunk",
          choices: [{ index: 0, delta: { audio: "⟨pcm16 0.35 s⟩" }, finish_reason: null }],
        },
      },
    ]);
  });

  it("says why there is none, and asks again when it is opened again", async () => {
    const turn = await opened("this turn was read from a journal");
    expect(one(".cv-events").textContent).toContain("this turn was read from a journal");
    await open();
    await open();
    expect(turn.asked).toEqual(["events", "events"]);
  });

  it("of a card without a kernel is said to be there only", () => {
    const turn = new FakeTurn(FULL, new FakePlayer("ready", 2));
    turn.rawEvents = null;
    show(<CardView turn={turn} />);
    unfold(".cv-facts");
    expect(place.querySelector(".cv-events")).toBeNull();
    expect(one(".cv-facts").textContent).toContain("eventskept by the kernel only; turn.events has them");
  });
});
