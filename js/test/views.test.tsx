import { act as flush } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import example from "../../tests/contract/turn.v1.json";
import { CardView, ListenView, mount, PadView, parseTurn, type TurnCard, type TurnStateName } from "../core";
import { HoldToTalk } from "../core/hold-to-talk";
import { FakeListen, FakePad, FakePlayer, FakeRecorder, FakeTurn, STATE } from "./fake-ports";
import { HandClock } from "./hand-clock";

const CARD = parseTurn(example);

/** Do something and let the views follow. */
function act(run: () => unknown): void {
  void flush(() => {
    run();
  });
}

let place: HTMLElement;
let unmount: () => void;

beforeEach(() => {
  place = document.createElement("div");
  document.body.append(place);
  unmount = () => undefined;
  // jsdom has no pointer capture; the browser tests press real buttons.
  Element.prototype.setPointerCapture = () => undefined;
  Element.prototype.hasPointerCapture = () => true;
});

afterEach(() => {
  act(() => unmount());
  place.remove();
});

function show(view: Parameters<typeof mount>[1]): void {
  act(() => {
    unmount = mount(place, view);
  });
}

function one(selector: string): HTMLElement {
  const found = place.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`${selector} is not in ${place.innerHTML}`);
  return found;
}

function button(name: string): HTMLButtonElement {
  for (const found of place.querySelectorAll("button")) {
    if ((found.getAttribute("aria-label") ?? found.textContent).startsWith(name)) return found;
  }
  throw new Error(`no button "${name}" in ${place.innerHTML}`);
}

function click(name: string): void {
  act(() => button(name).click());
}

function key(
  target: HTMLElement,
  name: string,
  type: "keydown" | "keyup" = "keydown",
  more: KeyboardEventInit = {},
): KeyboardEvent {
  const event = new KeyboardEvent(type, {
    key: name,
    bubbles: true,
    cancelable: true,
    composed: true,
    ...more,
  });
  act(() => void target.dispatchEvent(event));
  return event;
}

function pointer(target: HTMLElement, type: string, at_px = 0): void {
  act(() => void target.dispatchEvent(new MouseEvent(type, { bubbles: true, button: 0, clientX: at_px })));
}

const words = (): string => place.textContent.replace(/\s+/g, " ");
const said = (): string =>
  [...place.querySelectorAll("[role=status]")].map((live) => live.textContent).join("|");

function running(text: string): TurnCard {
  return { ...CARD, state: "running", reply: { ...CARD.reply, text, sound: null } };
}

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
    expect(one("dl").textContent).toContain("21 (16 sound, 5 text)");
    expect(one("dl").textContent).toContain("req_local_1");
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
    expect(words()).toContain("speaking, 1.2 s so far");
    click("Stop");
    expect(turn.asked).toEqual(["stop"]);
    act(() => (turn.card.value = { ...CARD, state: "stopped" }));
    expect(place.querySelector(".cv-caret")).toBeNull();
    expect(words()).toContain("stopped" + "You stopped it; what had arrived is kept.");
    expect(one("summary").textContent).toContain("66 tokens");
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

describe("the pad", () => {
  it("has a head with model, voice, cost and link, and the folder of its journal", () => {
    const pad = new FakePad();
    pad.state.value = { ...STATE, badge: "embedded engine, not gpt-audio", notice: "No key was found." };
    pad.link.value = "silent";
    show(<PadView pad={pad} />);
    expect(one("h3").textContent).toBe("gpt-audio alloy");
    expect(one("header").textContent).toContain("$0.0142");
    expect(one(".cv-link").title).toContain("what is recorded is kept");
    expect(words()).toContain("No key was found.");
    expect(one(".cv-journal").textContent).toContain("cellvoice_journal/a");
  });

  it("sends what was written with Enter, but not a new line, an empty draft or half a character", () => {
    const pad = new FakePad();
    show(<PadView pad={pad} />);
    const field = one("textarea") as HTMLTextAreaElement;
    const write = (text: string): void =>
      act(() => {
        field.value = text;
        field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      });
    expect(button("Send the message").disabled).toBe(true);
    write("   ");
    key(field, "Enter");
    write("hello");
    key(field, "Enter", "keydown", { shiftKey: true });
    key(field, "Enter", "keydown", { isComposing: true });
    expect(pad.sent).toEqual([]);
    key(field, "Enter");
    expect(pad.sent).toEqual(["text hello"]);
    expect(field.value).toBe("");
    write("again");
    click("Send the message");
    expect(pad.sent).toEqual(["text hello", "text again"]);
  });

  it("records on a click, shows time and level, and offers the take with its price", () => {
    const pad = new FakePad();
    const { recorder } = pad;
    show(<PadView pad={pad} />);
    click("Record");
    expect(recorder.asked).toEqual(["start"]);
    act(() => {
      recorder.elapsed_s.value = 5.2;
      recorder.level_dbfs.value = -17.4;
    });
    expect(one(".cv-watch").textContent).toBe("0:05.2");
    expect(one("[role=meter]").getAttribute("aria-valuetext")).toBe("-17 dBFS");
    expect(said()).toContain("recording, 5 seconds");
    act(() => (recorder.clipped.value = true));
    expect(one(".cv-clip").textContent).toBe("too loud");
    click("Stop recording");
    act(() => recorder.confirm());
    expect(button("Send").textContent).toBe("Send" + "about $0.0020");
    expect(document.activeElement).toBe(button("Send"));
    click("Record again");
    expect(recorder.asked).toEqual(["start", "stop", "discard", "start"]);
    click("Stop recording");
    act(() => recorder.confirm());
    click("Send");
    expect(pad.sent).toEqual(["take t1"]);
  });

  it("says nothing of money where no price is known", () => {
    const pad = new FakePad();
    pad.state.value = { ...pad.state.value, price: null };
    show(<PadView pad={pad} />);
    click("Record");
    act(() => (pad.recorder.elapsed_s.value = 5.2));
    expect(words()).not.toMatch(/About|[Cc]osts nothing/);
    click("Stop recording");
    act(() => pad.recorder.confirm());
    expect(button("Send").textContent).toBe("Send");
    expect(words()).not.toMatch(/[Aa]bout|[Cc]osts nothing/);
  });

  it("lets the take be heard before it is sent", () => {
    const pad = new FakePad();
    const preview = new FakePlayer("ready", 2);
    pad.recorder.preview.value = preview;
    pad.recorder.confirm("Nothing was heard.");
    show(<PadView pad={pad} />);
    click("Play the recording");
    expect(preview.asked).toEqual(["play"]);
    expect(words()).toContain("Nothing was heard.");
    click("Discard");
    expect(pad.recorder.asked).toEqual(["discard"]);
  });

  it("takes a chosen and a dropped file, but not while something is being recorded", () => {
    const pad = new FakePad();
    show(<PadView pad={pad} />);
    const file = new File(["RIFF"], "a.wav");
    const input = one("input[type=file]");
    Object.defineProperty(input, "files", { value: [file] });
    act(() => void input.dispatchEvent(new Event("change", { bubbles: true })));
    expect(pad.recorder.asked).toEqual(["upload a.wav"]);
    const drop = (): Event => {
      const event = new Event("drop", { bubbles: true, cancelable: true });
      Object.defineProperty(event, "dataTransfer", { value: { files: [file], types: ["Files"] } });
      act(() => void one("section").dispatchEvent(event));
      return event;
    };
    expect(drop().defaultPrevented).toBe(true);
    expect(pad.recorder.asked).toHaveLength(2);
    act(() => pad.recorder.start());
    drop();
    expect(pad.recorder.asked.at(-1)).toBe("start");
  });

  it("says in one sentence why it may not record, and still takes a file", () => {
    const pad = new FakePad();
    const refusal = {
      name: "NotAllowedError",
      sentence: "This page may not use the microphone.",
      action: "Allow it.",
    };
    pad.recorder.phase.value = { kind: "refused", refusal };
    show(<PadView pad={pad} />);
    expect(one("[role=alert]").textContent).toContain("This page may not use the microphone. Allow it.");
    expect(button("Choose a sound file")).toBeTruthy();
    click("Try again");
    expect(pad.recorder.asked).toEqual(["start"]);
  });

  it("shows the turns in order and what went wrong with the last send", () => {
    const pad = new FakePad();
    pad.turns.value = [new FakeTurn(CARD), new FakeTurn({ ...CARD, id: "b", number: 2 })];
    pad.trouble.value = "The kernel did not answer.";
    show(<PadView pad={pad} />);
    expect(
      [...place.querySelectorAll("article")].map((card) => card.ariaLabel ?? card.getAttribute("aria-label")),
    ).toEqual(["Turn 1", "Turn 2"]);
    expect(one("[role=alert]").textContent).toContain("The kernel did not answer.");
  });

  it("uses the space bar to talk, except where a key has its own meaning", () => {
    const pad = new FakePad();
    show(<PadView pad={pad} />);
    key(one("textarea"), " ");
    key(button("Choose a sound file"), " ");
    key(one("section"), " ", "keydown", { ctrlKey: true });
    expect(pad.recorder.asked).toEqual([]);
    expect(key(one("section"), " ").defaultPrevented).toBe(true);
    key(one("section"), " ", "keydown", { repeat: true });
    key(one("section"), " ", "keyup");
    expect(pad.recorder.asked).toEqual(["start"]);
    key(one("section"), " ");
    key(one("section"), " ", "keyup");
    expect(pad.recorder.asked).toEqual(["start", "stop"]);
  });

  it("stops a recording on Escape without throwing it away", () => {
    const pad = new FakePad();
    show(<PadView pad={pad} />);
    click("Record");
    key(one("section"), "Escape");
    expect(pad.recorder.asked).toEqual(["start", "stop"]);
  });
});

describe("hold to talk", () => {
  function held() {
    const recorder = new FakeRecorder();
    const time = new HandClock();
    const sent: string[] = [];
    return { recorder, time, sent, talk: new HoldToTalk(recorder, (take) => sent.push(take), time) };
  }

  it("sends when the hold is let go", () => {
    const { recorder, time, sent, talk } = held();
    talk.press();
    time.advance(1500);
    talk.release();
    expect(recorder.asked).toEqual(["start", "stop"]);
    expect(talk.sending.value).toBe(true);
    recorder.confirm();
    expect(sent).toEqual(["t1"]);
    recorder.phase.value = { kind: "idle" };
    expect(talk.sending.value).toBe(false);
  });

  it("lets the person decide when the take comes with a warning", () => {
    const { recorder, time, sent, talk } = held();
    talk.press();
    time.advance(1500);
    talk.release();
    recorder.confirm("Nothing was heard.");
    expect(sent).toEqual([]);
    expect(talk.sending.value).toBe(false);
  });

  it("goes on recording after a short press", () => {
    const { recorder, time, sent, talk } = held();
    talk.press();
    time.advance(120);
    talk.release();
    talk.toggle();
    recorder.confirm();
    expect(recorder.asked).toEqual(["start", "stop"]);
    expect(sent).toEqual([]);
  });

  it("counts as a click while the browser still asks for permission", () => {
    const { recorder, time, talk } = held();
    talk.press();
    recorder.phase.value = { kind: "asking" };
    time.advance(3000);
    talk.release();
    expect(recorder.asked).toEqual(["start"]);
  });

  it("keeps what was said when the page loses the key, and sends nothing", () => {
    const { recorder, time, sent, talk } = held();
    talk.press();
    time.advance(1500);
    talk.lose();
    recorder.confirm();
    expect(recorder.asked).toEqual(["start", "stop"]);
    expect(sent).toEqual([]);
  });

  it("throws away what is being said on Escape", () => {
    const { recorder, time, talk } = held();
    talk.press();
    time.advance(1500);
    talk.escape();
    talk.release();
    expect(recorder.asked).toEqual(["start", "discard"]);
  });

  it("watches nothing after it is closed", () => {
    const { recorder, time, sent, talk } = held();
    talk.press();
    time.advance(1500);
    talk.release();
    talk.close();
    recorder.confirm();
    expect(sent).toEqual([]);
  });
});

describe("the round button", () => {
  it("starts on the press, and the click of that press does not stop it", () => {
    const pad = new FakePad();
    show(<PadView pad={pad} />);
    const press = (type: string): void =>
      act(
        () =>
          void one(".cv-record").dispatchEvent(new MouseEvent(type, { bubbles: true, button: 0, detail: 1 })),
      );
    for (const type of ["pointerdown", "pointerup", "click"]) press(type);
    expect(pad.recorder.asked).toEqual(["start"]);
    expect(one(".cv-record").getAttribute("aria-pressed")).toBe("true");
    for (const type of ["pointerdown", "pointerup", "click"]) press(type);
    expect(pad.recorder.asked).toEqual(["start", "stop"]);
  });

  it("answers the click of a screen reader, which has no press", () => {
    const pad = new FakePad();
    show(<PadView pad={pad} />);
    click("Record");
    click("Stop recording");
    expect(pad.recorder.asked).toEqual(["start", "stop"]);
  });
});

describe("listening in a cell", () => {
  it("is a recorder until something is sent, then the card", () => {
    const listen = new FakeListen();
    show(<ListenView listen={listen} />);
    expect(words()).toContain("Speak to gpt-audio");
    expect(words()).toContain("About $0.0600 a minute.");
    click("Record");
    click("Stop recording");
    act(() => listen.recorder.confirm());
    click("Send");
    expect(listen.sent).toEqual(["take t1"]);
    act(() => (listen.turn.value = new FakeTurn(running("The"))));
    expect(place.querySelector(".cv-record")).toBeNull();
    expect(one("article").textContent).toContain("The");
  });

  it("says why the cell did not wait, and still records", () => {
    const listen = new FakeListen();
    listen.phase.value = "late";
    listen.sentence.value = "This kernel cannot hear the page while a cell runs.";
    show(<ListenView listen={listen} />);
    expect(words()).toContain("This kernel cannot hear the page while a cell runs.");
    click("Record");
    expect(listen.recorder.asked).toEqual(["start"]);
  });

  it("takes nothing once it is closed", () => {
    const listen = new FakeListen();
    listen.phase.value = "closed";
    show(<ListenView listen={listen} />);
    expect(button("Record").disabled).toBe(true);
    expect(words()).toContain("run the cell again to speak");
  });
});

describe("a mounted view", () => {
  it("keeps its keys from the notebook, but leaves it its chords", () => {
    const outside = vi.fn();
    const shortcut = vi.fn();
    // Where JupyterLab listens, and what it looks at.
    const lab = (event: Event): void => {
      if (event.target instanceof Element && event.target.closest("[data-lm-suppress-shortcuts]") === null)
        shortcut();
    };
    document.addEventListener("keydown", lab, { capture: true });
    document.addEventListener("keydown", outside);
    show(<CardView turn={new FakeTurn(CARD)} />);
    for (const name of ["d", "a", "b", "Enter", " "]) key(one(".cv-play"), name);
    expect([outside.mock.calls.length, shortcut.mock.calls.length]).toEqual([0, 0]);
    key(one(".cv-play"), "s", "keydown", { ctrlKey: true });
    expect([outside.mock.calls.length, shortcut.mock.calls.length]).toEqual([1, 1]);
    document.removeEventListener("keydown", lab, { capture: true });
    document.removeEventListener("keydown", outside);
  });

  it("brings its styles once for the page, and once for each shadow root", () => {
    const shadow = document.createElement("div").attachShadow({ mode: "open" });
    const inner = document.createElement("div");
    shadow.append(inner);
    show(<CardView turn={new FakeTurn(CARD)} />);
    const undo = [place, inner, inner].map((element) =>
      mount(element, <CardView turn={new FakeTurn(CARD)} />),
    );
    expect(document.querySelectorAll("style[data-cellvoice]")).toHaveLength(1);
    expect(shadow.querySelectorAll("style[data-cellvoice]")).toHaveLength(1);
    for (const one of undo) act(() => one());
  });

  it("leaves no listener, observer or element behind", () => {
    const add = vi.spyOn(window, "addEventListener");
    const remove = vi.spyOn(window, "removeEventListener");
    const stop = new Set<object>();
    vi.stubGlobal(
      "ResizeObserver",
      class {
        observe = (): void => void stop.add(this);
        disconnect = (): void => void stop.delete(this);
      },
    );
    const pad = new FakePad();
    pad.turns.value = [new FakeTurn(CARD)];
    show(<PadView pad={pad} />);
    const added = add.mock.calls.map(([type, listener]) => [type, listener]);
    expect(added.map(([type]) => type)).toEqual(expect.arrayContaining(["keydown", "blur"]));
    expect(stop.size).toBeGreaterThan(0);
    act(() => unmount());
    unmount = () => undefined;
    const removed = remove.mock.calls.map(([type, listener]) => [type, listener]);
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    for (const one of added) expect(removed).toContainEqual(one);
    expect(stop.size).toBe(0);
    expect(place.childElementCount).toBe(0);
  });
});
