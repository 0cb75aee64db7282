import { describe, expect, it } from "vitest";
import { PadView } from "../core";
import { FakePad, FakePlayer, FakeTurn, STATE } from "./fake-ports";
import { CARD, act, show, one, button, click, key, words, said, place, takeAway } from "./stage";

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

  it("keeps what is being written while something is recorded, and when a host draws it anew", () => {
    const pad = new FakePad();
    show(<PadView pad={pad} />);
    const field = (): HTMLTextAreaElement => one("textarea") as HTMLTextAreaElement;
    act(() => {
      field().value = "half a sen";
      field().dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
    click("Record");
    expect(place.querySelector("textarea")).toBeNull();
    act(() => pad.recorder.discard());
    expect(field().value).toBe("half a sen");
    takeAway();
    show(<PadView pad={pad} />);
    expect(field().value).toBe("half a sen");
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

  it("tells what of a turn's price is history, and what is paid of the budget", () => {
    const pad = new FakePad();
    const price = {
      input_usd_per_s: 0.001,
      output_usd_per_s: 0.002,
      history_tokens: 90,
      history_usd: 0.0031,
    };
    pad.state.value = { ...pad.state.value, price, budget: { limit_usd: 0.5, left_usd: 0.4858 } };
    show(<PadView pad={pad} />);
    expect(one(".cv-cost").textContent).toBe("paid so far: $0.0142 of $0.50");
    expect(one(".cv-cost").getAttribute("title")).toContain("$0.49 is left");
    expect(words()).toContain("A turn now sends about $0.0031 of history.");
    expect(button("Send the message").title).toBe("Send the message: about $0.0031 of history");
    click("Record");
    act(() => (pad.recorder.elapsed_s.value = 1.1));
    expect(words()).toContain("So far about $0.0042, $0.0031 of it history.");
    click("Stop recording");
    act(() => pad.recorder.confirm());
    expect(button("Send").textContent).toBe("Send" + "about $0.0051, $0.0031 of it history");
  });

  it("says nothing of money where no price is known", () => {
    const pad = new FakePad();
    pad.state.value = { ...pad.state.value, price: null };
    show(<PadView pad={pad} />);
    click("Record");
    act(() => (pad.recorder.elapsed_s.value = 5.2));
    expect(words()).not.toMatch(/[Aa]bout|[Cc]osts nothing/);
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
