import { beforeEach, describe, expect, it } from "vitest";
import contract from "../../tests/contract/pad_settings.v1.json";
import { PadView, SavedPadView } from "../core";
import { Part } from "../core/document";
import { meant, readSettings, shown, type Setting, type Settings } from "../core/settings";
import { FakePad, STATE } from "./fake-ports";
import { act, button, click, key, one, place, show, words } from "./stage";

const SETTINGS = readSettings(new Part(contract, "settings")) as Settings;

let pad: FakePad;

beforeEach(() => {
  pad = new FakePad();
  pad.state.value = { ...STATE, settings: SETTINGS };
});

function open(settings: Partial<Settings> = {}): void {
  pad.state.value = { ...STATE, settings: { ...SETTINGS, values: new Map(), ...settings } };
  show(<PadView pad={pad} />);
  click("Settings");
  pad.asked.length = 0;
}

const row = (name: string): HTMLElement => one(`[data-name=${name}]`);

function field(name: string, kind = "input:not([type=range]), select, textarea"): HTMLInputElement {
  const found = row(name).querySelector<HTMLInputElement>(kind);
  if (found === null) throw new Error(`${name} has no ${kind}`);
  return found;
}

function write(into: HTMLInputElement, text: string): void {
  act(() => {
    into.value = text;
    into.dispatchEvent(new InputEvent("input", { bubbles: true }));
  });
}

async function leave(from: HTMLInputElement): Promise<void> {
  act(() => void from.dispatchEvent(new Event("change", { bubbles: true })));
  await answered();
}

/** The kernel's answer has been drawn. */
async function answered(): Promise<void> {
  await Promise.resolve();
  await Promise.resolve();
  act(() => undefined);
}

describe("the settings button", () => {
  it("opens and closes the panel, and counts what is set", () => {
    show(<PadView pad={pad} />);
    expect(button("Settings").textContent).toBe("Settings· 2 set");
    expect(button("Settings").getAttribute("aria-expanded")).toBe("false");
    expect(place.querySelector(".cv-settings")).toBeNull();
    click("Settings");
    expect(button("Settings").getAttribute("aria-expanded")).toBe("true");
    expect(one(".cv-settings").id).toBe(button("Settings").getAttribute("aria-controls"));
    click("Settings");
    expect(place.querySelector(".cv-settings")).toBeNull();
  });

  it("asks the kernel for what holds now, because a cell may have changed it", () => {
    show(<PadView pad={pad} />);
    click("Settings");
    expect(pad.asked).toEqual(["{}"]);
  });

  it("is not there where the kernel tells of no settings", () => {
    pad.state.value = STATE;
    show(<PadView pad={pad} />);
    expect(place.querySelector("[aria-expanded]")).toBeNull();
  });
});

describe("a row of the panel", () => {
  it("has a name, a meaning that is tied to its control, and a default that is not taken for a value", () => {
    open();
    const temperature = field("temperature");
    expect(row("temperature").querySelector("label")?.htmlFor).toBe(temperature.id);
    const about = temperature.getAttribute("aria-describedby") ?? "";
    expect(document.getElementById(about)?.textContent).toContain("How freely the model chooses");
    expect([temperature.value, temperature.placeholder]).toEqual(["", "1"]);
    expect(row("temperature").dataset["set"]).toBe("false");
    expect(one(".cv-settings").querySelectorAll(".cv-square")).toHaveLength(0);
  });

  it("sends a value once, when the field is left and not for each key", async () => {
    open();
    write(field("temperature"), "0");
    write(field("temperature"), "0.8");
    expect(pad.asked).toEqual([]);
    key(field("temperature"), "Enter");
    await leave(field("temperature"));
    expect(pad.asked).toEqual(['{"temperature":"0.8"}']);
    expect(row("temperature").dataset["set"]).toBe("true");
    expect(field("temperature", "[type=range]").value).toBe("0.8");
    expect(button("Settings").textContent).toContain("1 set");
  });

  it("shows its warning once it is set", async () => {
    open();
    expect(words()).not.toContain("endless noise");
    write(field("temperature"), "0.3");
    await leave(field("temperature"));
    expect(row("temperature").textContent).toContain("endless noise");
    const about = field("temperature").getAttribute("aria-describedby") ?? "";
    expect(about.split(" ")).toHaveLength(2);
  });

  it("takes the slider's last value, not those that a held key passes", async () => {
    open();
    const slider = field("temperature", "[type=range]");
    const move = (to: string): void => {
      write(slider, to);
      act(() => void slider.dispatchEvent(new Event("change", { bubbles: true })));
    };
    key(slider, "ArrowRight");
    move("1.05");
    move("1.1");
    expect(pad.asked).toEqual([]);
    key(slider, "ArrowRight", "keyup");
    await answered();
    expect(pad.asked).toEqual(['{"temperature":"1.1"}']);
    move("0.9");
    expect(pad.asked.at(-1)).toBe('{"temperature":"0.9"}');
  });

  it("says at its place why the kernel refused a value, and keeps what was written", async () => {
    open();
    pad.refusal = "temperature=3: expected a number in 0…2";
    write(field("temperature"), "3");
    await leave(field("temperature"));
    const complaint = row("temperature").querySelector("[role=alert]");
    expect(complaint?.textContent).toBe(pad.refusal);
    expect(field("temperature").value).toBe("3");
    expect(field("temperature").getAttribute("aria-invalid")).toBe("true");
    expect(field("temperature").getAttribute("aria-describedby")).toContain(complaint?.id);
    pad.refusal = "";
    write(field("temperature"), "1.5");
    await leave(field("temperature"));
    expect(place.querySelector("[role=alert]")).toBeNull();
  });

  it("hands on what is no number, so that one place says what is expected", async () => {
    open();
    write(field("temperature"), "warm");
    await leave(field("temperature"));
    expect(pad.asked).toEqual(['{"temperature":"warm"}']);
  });

  it("puts a sentence about another row there, too, until it no longer holds", async () => {
    open();
    pad.refusal = "temperature needs seed; set both";
    write(field("seed"), "5");
    await leave(field("seed"));
    expect(row("seed").textContent).toContain(pad.refusal);
    expect(row("temperature").textContent).toContain(pad.refusal);
    pad.refusal = "";
    write(field("seed"), "6");
    await leave(field("seed"));
    expect(place.querySelector("[role=alert]")).toBeNull();
  });

  it("takes a value back, and leaves the keyboard at its field", async () => {
    open({ values: new Map([["temperature", 0.7]]) });
    expect(field("temperature").value).toBe("0.7");
    click("Unset temperature");
    await answered();
    expect(pad.asked).toEqual(['{"temperature":null}']);
    expect(field("temperature").value).toBe("");
    expect(document.activeElement?.closest("[data-name]")).toBe(row("temperature"));
  });

  it("takes back what was written on Escape, and only then closes, with the focus on the button", () => {
    open();
    write(field("system"), "Be brie");
    key(field("system"), "Escape");
    expect(field("system").value).toBe("");
    expect(pad.recorder.asked).toEqual([]);
    key(field("system"), "Escape");
    expect(place.querySelector(".cv-settings")).toBeNull();
    expect(document.activeElement).toBe(button("Settings"));
  });

  it("closes on Escape when what was written is on its way already", () => {
    open();
    write(field("seed"), "5");
    key(field("seed"), "Enter");
    key(field("seed"), "Escape");
    expect(place.querySelector(".cv-settings")).toBeNull();
    expect(pad.asked).toEqual(['{"seed":"5"}']);
  });

  it("lets no key through to the pad's space bar", () => {
    open();
    key(one(".cv-settings fieldset"), " ");
    expect(pad.recorder.asked).toEqual([]);
  });

  it("of a refused parameter says so, is off, and can be switched all the same", () => {
    open();
    expect(row("logprobs").textContent).toContain("refused by gpt-audio");
    expect(field("logprobs").checked).toBe(false);
    act(() => field("logprobs").click());
    expect(pad.asked).toEqual(['{"logprobs":true}']);
  });

  it("offers the known voices and any other", async () => {
    open();
    const select = field("voice", "select") as unknown as HTMLSelectElement;
    expect(select.options).toHaveLength(16);
    expect(select.options[0]?.textContent).toBe("default: alloy");
    write(field("voice", "select"), "marin");
    await leave(field("voice", "select"));
    expect(pad.asked).toEqual(['{"voice":"marin"}']);
    act(() => {
      select.value = select.options[select.options.length - 1]?.value ?? "";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    const other = field("voice", "input");
    expect(document.activeElement).toBe(other);
    write(other, "ash");
    expect(other.value).toBe("ash");
    write(other, "voice_12");
    await leave(other);
    expect(pad.asked.at(-1)).toBe('{"voice":"voice_12"}');
    expect(field("voice", "input").value).toBe("voice_12");
  });

  it("takes several texts, each on its line", async () => {
    open();
    const lines = (): HTMLInputElement[] => [...row("stop").querySelectorAll("input")];
    write(lines()[0]!, "END");
    await leave(lines()[0]!);
    expect(pad.asked).toEqual(['{"stop":["END"]}']);
    expect(lines()).toHaveLength(2);
    write(lines()[1]!, "a\\n");
    await leave(lines()[1]!);
    expect(pad.asked.at(-1)).toBe('{"stop":["END","a\\n"]}');
    write(lines()[0]!, "");
    await leave(lines()[0]!);
    expect(pad.asked.at(-1)).toBe('{"stop":["a\\n"]}');
    write(lines()[0]!, "");
    await leave(lines()[0]!);
    expect(pad.asked.at(-1)).toBe('{"stop":null}');
  });

  it("keeps what is written while the kernel still answers", async () => {
    open();
    const lines = (): HTMLInputElement[] => [...row("stop").querySelectorAll("input")];
    write(lines()[0]!, "END");
    act(() => void lines()[0]!.dispatchEvent(new Event("change", { bubbles: true })));
    write(lines()[1]!, "FIN");
    await answered();
    expect(lines().map((line) => line.value)).toEqual(["END", "FIN", ""]);
    await leave(lines()[1]!);
    expect(pad.asked).toEqual(['{"stop":["END"]}', '{"stop":["END","FIN"]}']);
  });

  it("hands on JSON as it is written, and shows the kernel's value as JSON", async () => {
    open({ values: new Map([["logit_bias", { "5": 1 }]]) });
    expect(field("logit_bias").value).toBe('{"5":1}');
    write(field("logit_bias"), ' {"5": ');
    await leave(field("logit_bias"));
    expect(pad.asked).toEqual([JSON.stringify({ logit_bias: '{"5":' })]);
  });

  it("shows hostile words as words", async () => {
    const evil = '<img src=x onerror="window.pwned=1">';
    const form = SETTINGS.form.map((setting): Setting => ({
      ...setting,
      text: evil,
      warning: evil,
      expected: evil,
      initial: evil,
      choices: setting.choices.length > 0 ? [evil] : [],
    }));
    open({ form, values: new Map(form.map(({ name }) => [name, evil])) });
    pad.refusal = evil;
    write(field("seed"), "1");
    await leave(field("seed"));
    expect(row("seed").querySelector("[role=alert]")?.textContent).toBe(evil);
    expect(place.querySelectorAll("img")).toHaveLength(0);
  });
});

describe("a saved pad", () => {
  it("says in words what was set, without a form", () => {
    const values = new Map<string, unknown>([
      ["temperature", 0.7],
      ["stop", ["END"]],
      ["voice", "marin"],
    ]);
    show(<SavedPadView state={{ ...STATE, settings: { form: [], values } }} turns={[]} />);
    expect(one("dl").textContent).toBe('temperature0.7stop["END"]');
    expect(place.querySelectorAll("input, button, select")).toHaveLength(0);
  });

  it("says nothing where nothing was set", () => {
    show(<SavedPadView state={{ ...STATE, settings: { form: [], values: new Map() } }} turns={[]} />);
    expect(place.querySelector("dl")).toBeNull();
  });
});

describe("the text of a field", () => {
  const of = (name: string): Setting => SETTINGS.form.find((setting) => setting.name === name)!;

  it.each([
    ["temperature", " 0.5 ", "0.5"],
    ["temperature", "−1", "-1"],
    ["temperature", " ", null],
    ["seed", "9007199254740993", "9007199254740993"],
    ["system", " as it is ", " as it is "],
    ["stop", '["\\\\n", "", "\\\\\\\\"]', ["\n", "\\"]],
    ["stop", '[""]', null],
  ])("of %s, %j, means %j", (name, text, value) => {
    expect(meant(of(name), text)).toEqual(value);
  });

  it.each([
    ["stop", "END", '["END"]'],
    ["stop", ["a\tb", "\\n"], '["a\\\\tb","\\\\\\\\n"]'],
    ["system", "Be brief.", "Be brief."],
    ["temperature", undefined, ""],
  ])("for %s = %j is %j, and means it again", (name, value, text) => {
    expect(shown(of(name), value)).toBe(text);
    const again = name === "stop" ? [value].flat() : (value ?? null);
    expect(meant(of(name), text)).toEqual(again);
  });
});

describe("the form of the kernel", () => {
  it("is read whole, values in their order", () => {
    expect(SETTINGS.form).toHaveLength(contract.form.length);
    expect([...SETTINGS.values]).toEqual(Object.entries(contract.values));
  });

  it("names the place of what is wrong", () => {
    const [first] = contract.form;
    const read = (form: unknown, values: unknown = {}) =>
      readSettings(new Part({ form, values }, "settings"));
    expect(() => read([{ ...first, kind: "smell" }])).toThrow(
      "settings.form[0].kind should be one of number",
    );
    expect(() => read([], [])).toThrow("settings.values should be an object");
  });

  it("may be missing, as in pads that were saved before there was one", () => {
    expect(readSettings(new Part(undefined, "settings"))).toBeNull();
  });
});
