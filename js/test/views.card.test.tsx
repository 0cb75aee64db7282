import { describe, expect, it } from "vitest";
import { CardView, type TurnCard, type TurnStateName } from "../core";
import { FakePlayer, FakeTurn } from "./fake-ports";
import {
  CARD,
  act,
  place,
  show,
  one,
  button,
  click,
  key,
  pointer,
  unfold,
  words,
  said,
  running,
} from "./stage";

describe("a card", () => {
  it("shows what was said, the reply and the facts", () => {
    show(<CardView turn={new FakeTurn(CARD)} />);
    expect(words()).toContain("Please answer:");
    expect(words()).toContain("spoken, 1.6 s");
    expect(one("q").textContent).toBe("what is the capital of france");
    expect(words()).toContain("heard by the engine");
    expect(one(".cv-text").textContent).toBe("The capital of France is Paris.");
    expect(one(".cv-badge").textContent).toBe("embedded engine, not gpt-audio");
    expect([...place.querySelectorAll(".cv-line > span")].map((fact) => fact.textContent)).toEqual([
      "first sound 0.19 s",
      "1.9 s",
      "66 tokens",
      "$0",
    ]);
    unfold(".cv-facts");
    expect(one("dl").textContent).toContain("21 (16 sound, 5 text)");
    expect(one("dl").textContent).toContain("req_local_1");
  });

  it("says where its turn stands now, and only where there is something to say", () => {
    const turn = new FakeTurn(CARD);
    show(<CardView turn={turn} />);
    expect(place.querySelector(".cv-marks")).toBeNull();
    act(() => (turn.card.value = { ...CARD, stale: true, versions: { k: 2, of: 3, ids: [] } }));
    expect(one(".cv-marks").textContent).toBe(
      "version 2 of 3" + "stale" + "Turns before it have changed; session.refresh() asks it again.",
    );
  });

  it("does not say again a badge that stands above it", () => {
    show(
      <CardView turn={new FakeTurn(CARD)} said={{ badge: "embedded engine, not gpt-audio", notice: "" }} />,
    );
    expect(place.querySelector(".cv-badge")).toBeNull();
  });

  it("does not say again a notice that stands above it", () => {
    const notices = ["There is no key.", "This one is its own."];
    show(
      <CardView turn={new FakeTurn({ ...CARD, notices })} said={{ badge: "", notice: "There is no key." }} />,
    );
    expect(place.textContent).not.toContain("There is no key.");
    expect(place.textContent).toContain("This one is its own.");
  });

  it("follows the reply word by word, with a caret and a way to stop, and then the facts", () => {
    const turn = new FakeTurn(running(""), new FakePlayer("empty", 0));
    show(<CardView turn={turn} />);
    expect(one("article").getAttribute("aria-busy")).toBe("true");
    expect(said()).toContain("waiting for the reply");
    act(() => (turn.card.value = running("The capital")));
    act(() => (turn.progress_s.value = 1.2));
    expect(one(".cv-text").textContent).toBe("The capital");
    expect(place.querySelector(".cv-caret")).not.toBeNull();
    expect(one(".cv-line").textContent).toBe("speech made 1.2 s" + "heard 0.0 s");
    click("Stop");
    expect(turn.asked).toEqual(["stop"]);
    act(() => (turn.card.value = { ...CARD, state: "stopped" }));
    expect(place.querySelector(".cv-caret")).toBeNull();
    expect(words()).toContain("stopped" + "You stopped it; what had arrived is kept.");
    expect(one("summary").textContent).toContain("66 tokens");
  });

  it("counts what has come where the stream has no meter of its own, and what was heard of it", () => {
    const turn = new FakeTurn(running("Hm"), new FakePlayer("playing", 3.4));
    show(<CardView turn={turn} />);
    const amounts = (): Array<string | null> =>
      [...place.querySelectorAll(".cv-amount")].map((amount) => amount.textContent);
    act(() => (turn.player.position_s.value = 2.18));
    expect(amounts()).toEqual(["3.4 s", "2.1 s"]);
    act(() => (turn.progress_s.value = 5));
    expect(amounts()).toEqual(["5.0 s", "2.1 s"]);
  });

  it("tells a screen reader of the progress every ten seconds, and not while it plays", () => {
    const turn = new FakeTurn(running(""), new FakePlayer("empty", 0));
    show(<CardView turn={turn} />);
    const heard = new Set<string>();
    for (let made_s = 0; made_s < 25; made_s += 0.1) {
      act(() => (turn.progress_s.value = made_s));
      heard.add(said());
    }
    expect([...heard]).toEqual([
      "waiting for the reply",
      "10 seconds of speech made",
      "20 seconds of speech made",
    ]);
    act(() => (turn.player.phase.value = "playing"));
    expect(said()).toBe("reply playing");
  });

  it("shows and says what was noted while it still waits", () => {
    const turn = new FakeTurn(running(""), new FakePlayer("empty", 0));
    show(<CardView turn={turn} />);
    const notices = ["The service was busy (429); asked again after 0.6 s."];
    act(() => (turn.card.value = { ...turn.card.value, notices }));
    expect(one(".cv-note").textContent).toBe(notices[0]);
    expect(said()).toBe(notices[0]);
    expect(words()).toContain("waiting for the first words");
  });

  it("keeps the player's row from the first moment, so that sound moves nothing", () => {
    const turn = new FakeTurn(running(""), new FakePlayer("empty", 0));
    show(<CardView turn={turn} />);
    const row = one(".cv-player");
    expect(button("Play the reply").disabled).toBe(true);
    act(() => {
      turn.player.duration_s.value = 1;
      turn.player.phase.value = "playing";
    });
    expect(one(".cv-player")).toBe(row);
    expect(button("Pause the reply").disabled).toBe(false);
  });

  it("plays, pauses, and tells a screen reader", () => {
    const turn = new FakeTurn(CARD);
    show(<CardView turn={turn} />);
    click("Play the reply");
    expect(said()).toBe("reply playing");
    click("Pause the reply");
    expect(said()).toBe("reply paused");
    expect(turn.player.asked).toEqual(["play", "pause"]);
  });

  it("can be walked through with the keyboard", () => {
    const turn = new FakeTurn(CARD, new FakePlayer("paused", 30));
    show(<CardView turn={turn} />);
    const slider = one("[role=slider]");
    expect(slider.getAttribute("aria-label")).toBe("position in the reply");
    expect(slider.getAttribute("aria-valuemax")).toBe("30");
    for (const name of [
      "ArrowRight",
      "ArrowRight",
      "ArrowLeft",
      "PageUp",
      "End",
      "ArrowRight",
      "Home",
      "ArrowLeft",
    ]) {
      expect(key(slider, name).defaultPrevented).toBe(true);
    }
    expect(turn.player.asked).toEqual([1, 2, 1, 11, 30, 30, 0, 0].map((to) => `seek ${to.toFixed(1)}`));
    key(slider, " ");
    expect(turn.player.asked.at(-1)).toBe("play");
    expect(key(slider, "Tab").defaultPrevented).toBe(false);
    act(() => (turn.player.position_s.value = 12.34));
    expect(slider.getAttribute("aria-valuetext")).toBe("12.3 of 30.0 seconds");
  });

  it("seeks where the waveform is pressed and dragged, but not into what has not arrived", () => {
    const turn = new FakeTurn(running("Hm"), new FakePlayer("playing", 2));
    show(<CardView turn={turn} />);
    const slider = one("[role=slider]");
    slider.getBoundingClientRect = () => ({ left: 100, width: 400 }) as DOMRect;
    pointer(slider, "pointerdown", 200);
    pointer(slider, "pointermove", 250);
    pointer(slider, "pointermove", 480);
    // The axis of a growing sound is 4 s long.
    expect(turn.player.asked).toEqual(["seek 1.0", "seek 1.5", "seek 2.0"]);
  });

  it("says why nothing sounds when the browser waits for a click", () => {
    const turn = new FakeTurn(CARD, new FakePlayer("blocked"));
    show(<CardView turn={turn} />);
    expect(words()).toContain("The browser waits for a click before it plays sound");
    expect(button("Play the reply").textContent).toBe("Play the reply");
    click("Play the reply");
    expect(turn.player.asked).toEqual(["play"]);
  });

  it("says when the sound it knows of is not here", () => {
    show(<CardView turn={new FakeTurn(CARD, new FakePlayer("empty", 0))} />);
    expect(words()).toContain("The sound of this reply is not in the notebook");
  });

  const ENDS: Array<[TurnStateName, string]> = [
    ["stopped", "You stopped it"],
    ["cut", "The connection ended early"],
    ["length", "raise max_completion_tokens"],
    ["filtered", "content filter"],
    ["refused", "The model declined"],
    ["failed", "Nothing came back"],
  ];
  it.each(ENDS)("that was %s says so and what to do", (state, sentence) => {
    show(<CardView turn={new FakeTurn({ ...CARD, state })} />);
    expect(one(".cv-outcome").textContent).toContain(sentence);
    expect(said()).toContain(sentence);
  });

  it("shows the kernel's own sentence of a failure, and every notice", () => {
    const error = { name: "AuthError", message: "The key was refused: set OPENAI_API_KEY." };
    const reply = { kind: "none", text: "", refusal: null, sound: null } as const;
    const card: TurnCard = { ...CARD, state: "failed", reply, error, notices: ["One.", "Two."] };
    show(<CardView turn={new FakeTurn(card, new FakePlayer("empty", 0))} />);
    expect(one(".cv-outcome").textContent).toBe("failed" + error.message);
    expect([...place.querySelectorAll(".cv-note")].map((note) => note.textContent)).toEqual(["One.", "Two."]);
    expect(place.querySelector(".cv-player")).toBeNull();
  });

  it("of a text reply has no player, and is read aloud when it was awaited", () => {
    const reply = { kind: "text", text: "Paris.", refusal: null, sound: null } as const;
    const turn = new FakeTurn({ ...CARD, state: "running", reply: { ...reply, text: "" } });
    show(<CardView turn={turn} />);
    expect(place.querySelector(".cv-player")).toBeNull();
    act(() => (turn.card.value = { ...CARD, reply }));
    expect(said()).toBe("Paris.");
  });

  it("shows hostile words as words", () => {
    const evil = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
    const card: TurnCard = {
      ...CARD,
      state: "failed",
      input: [
        { kind: "text", text: evil },
        { kind: "sound", duration_s: 1, peaks: [], heard: evil },
      ],
      reply: { ...CARD.reply, text: evil },
      engine: { badge: evil, detail: evil },
      model: evil,
      voice: evil,
      notices: [evil],
      error: { name: evil, message: evil },
      facts: { ...CARD.facts, request_id: evil, cost_note: evil },
    };
    show(<CardView turn={new FakeTurn(card)} />);
    expect(place.querySelectorAll("img, script")).toHaveLength(0);
    expect(one(".cv-text").textContent).toBe(evil);
    expect(Object.hasOwn(window, "pwned")).toBe(false);
  });
});
