import { describe, expect, it, vi } from "vitest";
import full from "../../tests/contract/turn.v1.full.json";
import { CardView, parseTurn, type TurnCard } from "../core";
import { moved } from "../core/loop-handles";
import { spectrogramOf, transform } from "../core/spectrogram";
import { piecesOf, wordAt } from "../core/words";
import { hum } from "../gallery/fakes";
import { FakePlayer, FakeTurn } from "./fake-ports";
import { act, button, CARD, click, key, one, place, pointer, show, takeAway, words } from "./stage";

const FULL = parseTurn(full);

function timed(): FakeTurn {
  const turn = new FakeTurn(FULL, new FakePlayer("paused", 2.1));
  show(<CardView turn={turn} />);
  return turn;
}

const lit = (): readonly string[] => [...place.querySelectorAll(".cv-lit")].map((word) => word.textContent);

describe("the waveform of a reply that still comes", () => {
  it("tells a screen reader, and draws, how much has come by now, also where nothing moves", () => {
    const sofar = (duration_s: number): TurnCard => ({
      ...CARD,
      state: "running",
      reply: {
        ...CARD.reply,
        sound: { mime: "", peaks: [], duration_s, sample_rate_hz: 24_000, href: null },
      },
    });
    const turn = new FakeTurn(sofar(1), new FakePlayer("paused", 1));
    show(<CardView turn={turn} />);
    act(() => (turn.player.position_s.value = 0.5));
    expect(one(".cv-seek").getAttribute("aria-valuetext")).toBe("0.5 of 1.0 seconds");
    const before = one(".cv-played").getAttribute("style");
    act(() => (turn.card.value = sofar(90)));
    expect(one(".cv-seek").getAttribute("aria-valuetext")).toBe("0:00 of 1:30");
    expect(one(".cv-played").getAttribute("style")).not.toBe(before);
  });
});

describe("the words of a spoken reply", () => {
  it("light up as they are spoken, also after letters that are two units long", () => {
    const turn = timed();
    act(() => (turn.player.position_s.value = 0.5));
    expect(lit()).toEqual(["Zürich"]);
    act(() => (turn.player.position_s.value = 1.0));
    expect(lit()).toEqual(["is"]);
    expect(one(".cv-text").textContent).toBe(FULL.reply.text);
    act(() => (turn.player.phase.value = "ended"));
    expect(lit()).toEqual([]);
    expect(words()).toContain("word times estimated");
  });

  it("light up while the reply still comes, in the same place when it has ended", () => {
    const text = "In Zürich 🌍";
    const [first, second] = FULL.words;
    const sofar = { ...FULL, state: "running" as const, words: [first!], reply: { ...FULL.reply, text } };
    const turn = new FakeTurn(sofar, new FakePlayer("playing", 1));
    show(<CardView turn={turn} />);
    const box = one(".cv-text");
    act(() => (turn.player.position_s.value = first!.start_s));
    expect(lit()).toEqual(["In"]);
    expect(words()).toContain("word times estimated");
    act(() => (turn.card.value = { ...sofar, words: [first!, second!] }));
    act(() => (turn.player.position_s.value = 0.5));
    expect(lit()).toEqual(["Zürich"]);
    expect(box.textContent).toBe(text);
    act(() => one("[data-w='1']").click());
    expect(turn.player.asked.at(-1)).toBe("play");
    act(() => (turn.card.value = FULL));
    expect(one(".cv-text")).toBe(box);
    expect(lit()).toEqual(["Zürich"]);
  });

  it("lead to their sound by a click, and by Shift and an arrow on the waveform", () => {
    const turn = timed();
    act(() => one("[data-w='3']").click());
    expect(turn.player.asked).toEqual(["seek 1.0", "play"]);
    const slider = one(".cv-seek");
    key(slider, "ArrowRight", "keydown", { shiftKey: true });
    expect(turn.player.asked.at(-1)).toBe("seek 1.1");
    key(slider, "ArrowLeft", "keydown", { shiftKey: true });
    expect(turn.player.asked.at(-1)).toBe("seek 1.0");
  });

  it("are the whole text, whatever the times say", () => {
    const text = "a 🌍 b";
    const word = (from: number, to: number) => ({ from, to, start_s: 0, end_s: 0 });
    const pieces = piecesOf(text, [word(0, 3), word(1, 2), word(4, 5), word(4, 99), word(5, 5)]);
    expect(pieces).toEqual([
      { text: "a 🌍", word: 0 },
      { text: " ", word: null },
      { text: "b", word: 2 },
    ]);
    expect(wordAt([], 1)).toBe(-1);
  });
});

describe("the recording that was sent", () => {
  it("has a small player of its own where its sound is here, and else a picture", () => {
    const turn = new FakeTurn(CARD);
    show(<CardView turn={turn} />);
    expect(words()).toContain("spoken, 1.6 s");
    takeAway();
    const player = new FakePlayer("ready", 1.62);
    turn.sounds.set(1, player);
    show(<CardView turn={turn} />);
    click("Play the recording");
    expect(player.asked).toEqual(["play"]);
    expect(one(".cv-prompt [role=slider]").getAttribute("aria-label")).toBe("position in the recording");
  });
});

describe("a player's tools", () => {
  it("set the speed", () => {
    const turn = timed();
    const select = one("select") as HTMLSelectElement;
    act(() => {
      select.value = "1.5";
      select.dispatchEvent(new Event("change"));
    });
    expect(turn.player.asked).toEqual(["speed 1.5"]);
  });

  it("loop the whole, or the part between two handles that the arrow keys move", () => {
    const turn = timed();
    expect(place.querySelector(".cv-handle")).toBeNull();
    click("Loop");
    expect(turn.player.asked).toEqual(["loop 0.0 2.1"]);
    const [start, end] = place.querySelectorAll<HTMLElement>(".cv-handle");
    expect(key(start!, "ArrowRight").defaultPrevented).toBe(true);
    key(end!, "PageDown");
    expect(turn.player.loop.value).toEqual({ from_s: 0.1, to_s: 1.1 });
    expect(start!.getAttribute("aria-valuenow")).toBe("0.1");
    key(start!, "End");
    expect(turn.player.loop.value).toEqual({ from_s: 1, to_s: 1.1 });
    click("Loop");
    expect(turn.player.loop.value).toBeNull();
    expect(moved({ from_s: 0, to_s: 1 }, "to_s", 9, 2)).toEqual({ from_s: 0, to_s: 2 });
  });

  it("loop what is dragged over with Shift", () => {
    const turn = timed();
    const slider = one(".cv-seek");
    slider.getBoundingClientRect = () => ({ left: 0, width: 210 }) as DOMRect;
    const shifted = (type: string, x: number): void =>
      act(() => slider.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX: x, shiftKey: true })));
    shifted("pointerdown", 150);
    shifted("pointermove", 50);
    expect(turn.player.asked).toEqual(["loop 0.5 1.5"]);
    pointer(slider, "pointerdown", 21);
    expect(turn.player.asked.at(-1)).toBe("seek 0.2");
  });

  it("save what is there as a file, and say when nothing is", async () => {
    const turn = timed();
    const clicked = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
    URL.createObjectURL = vi.fn(() => "blob:x");
    URL.revokeObjectURL = vi.fn();
    click("Download");
    await vi.waitFor(() => expect(words()).toContain("The sound is not here, so it cannot be saved."));
    turn.player.held = hum(0.1);
    click("Download");
    await vi.waitFor(() => expect(clicked).toHaveBeenCalledOnce());
    expect((clicked.mock.contexts[0] as HTMLAnchorElement).download).toBe("turn-2.wav");
    clicked.mockRestore();
  });

  it("draw a spectrogram only when it is asked for, and say when there is nothing to draw", async () => {
    timed();
    expect(place.querySelector(".cv-spectrogram")).toBeNull();
    click("Spectrogram");
    await vi.waitFor(() => expect(words()).toContain("there is no spectrogram"));
  });

  it("wait for sound", () => {
    show(<CardView turn={new FakeTurn({ ...CARD, state: "running" }, new FakePlayer("empty", 0))} />);
    expect(button("Loop").disabled).toBe(true);
    expect((one("select") as HTMLSelectElement).disabled).toBe(true);
  });
});

describe("a spectrogram", () => {
  it("has a tone where its frequency is", () => {
    const pcm = Int16Array.from(
      { length: 24_000 },
      (_, frame) => 9_000 * Math.sin((2 * Math.PI * 3_000 * frame) / 24_000),
    );
    const { cells, rows, columns, top_hz } = spectrogramOf({ pcm, sample_rate_hz: 24_000 }, 50);
    expect(columns).toBe(50);
    const column = cells.subarray(20 * rows, 21 * rows);
    expect((column.indexOf(Math.max(...column)) / rows) * top_hz).toBeCloseTo(3_000, -2);
  });

  it("is of what is there, be it ever so short", () => {
    expect(spectrogramOf({ pcm: new Int16Array(3), sample_rate_hz: 24_000 }, 100).columns).toBe(1);
  });

  it("rests on a transform that agrees with the sum it stands for", () => {
    const signal = Float32Array.from([1, -2, 3, 0.5, 0, 4, -1, 2]);
    const real = signal.slice();
    const imaginary = new Float32Array(8);
    transform(real, imaginary);
    for (let row = 0; row < 8; row += 1) {
      let sum = 0;
      let sum_i = 0;
      signal.forEach((value, index) => {
        sum += value * Math.cos((2 * Math.PI * row * index) / 8);
        sum_i -= value * Math.sin((2 * Math.PI * row * index) / 8);
      });
      expect(real[row]).toBeCloseTo(sum, 4);
      expect(imaginary[row]).toBeCloseTo(sum_i, 4);
    }
  });
});
