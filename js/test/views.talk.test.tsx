import { describe, expect, it, vi } from "vitest";
import { CardView, ListenView, mount, PadView } from "../core";
import { HoldToTalk } from "../core/hold-to-talk";
import { FakeListen, FakePad, FakeRecorder, FakeTurn } from "./fake-ports";
import { HandClock } from "./hand-clock";
import { CARD, act, place, show, one, button, click, key, words, running, takeAway } from "./stage";

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
    takeAway();
    const removed = remove.mock.calls.map(([type, listener]) => [type, listener]);
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    for (const one of added) expect(removed).toContainEqual(one);
    expect(stop.size).toBe(0);
    expect(place.childElementCount).toBe(0);
  });
});
