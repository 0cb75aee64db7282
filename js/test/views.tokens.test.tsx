import { describe, expect, it, vi } from "vitest";
import full from "../../tests/contract/turn.v1.full.json";
import { CardView, parseTurn, type TurnCard } from "../core";
import type { Logprobs } from "../core/details";
import { percent, summaryOf, textOf, unitsOf, visible } from "../core/tokens";
import { manyTokens } from "../gallery/details";
import { FakeTurn } from "./fake-ports";
import { act, button, CARD, click, key, one, place, show, takeAway, words } from "./stage";

const FULL = parseTurn(full);
const EVIL = "<img src=x onerror=alert(1)>\u001b[31m\u202e";

function open(logprobs: Logprobs | null = FULL.logprobs): void {
  const card: TurnCard = { ...CARD, logprobs };
  show(<CardView turn={new FakeTurn(card)} />);
  act(() => {
    one(".cv-fold").setAttribute("open", "");
    one(".cv-fold").dispatchEvent(new Event("toggle"));
  });
}

const panel = (): string => one(".cv-token").textContent;
const rows = (): readonly string[] =>
  [...place.querySelectorAll(".cv-rows .cv-row")].map((row) => row.children[1]?.textContent ?? "");

/** jsdom lays nothing out and scrolls nothing: a box of 13 rows that does. */
function layOut(box: HTMLElement, count: number): void {
  Object.defineProperties(box, { scrollHeight: { value: count * 28 }, clientHeight: { value: 13 * 28 } });
  box.scrollTo = ((to: ScrollToOptions) => {
    box.scrollTop = to.top ?? 0;
    box.dispatchEvent(new Event("scroll"));
  }) as typeof box.scrollTo;
}

describe("probabilities", () => {
  it("are one line with perplexity and mean of all tokens, also of those that were left out", () => {
    show(<CardView turn={new FakeTurn({ ...CARD, logprobs: FULL.logprobs })} />);
    expect(one(".cv-fold summary").textContent).toBe(
      "Probabilities" + "perplexity 1.52" + "mean log −0.416" + "3 of 9 tokens uncertain",
    );
    expect(place.querySelector(".cv-heat")).toBeNull();
  });

  it("opened, are the text with each token as warm as it was unlikely, and begin at the least likely", () => {
    open();
    const warm = [...place.querySelectorAll<HTMLElement>("[role=slider].cv-heat span")];
    expect(warm.map((token) => token.textContent).join("")).toBe("In Zürich 🌍 it is 18 degrees");
    expect(warm.map((token) => token.dataset["p"])).toEqual([
      undefined,
      undefined,
      "4",
      "3",
      undefined,
      undefined,
      "3",
      "1",
    ]);
    expect(panel()).toContain("␣20 %");
    expect(panel()).toContain("#2 · log −1.609 · entropy 0.80");
    expect(words()).toContain(
      "1 more token of this reply is not in the notebook; turn.logprobs has them all.",
    );
  });

  it("show the alternatives of what is pointed at, and of what the arrow keys reach", () => {
    open();
    const map = one(".cv-heat[role=slider]");
    act(() => map.children[6]?.dispatchEvent(new Event("pointerover", { bubbles: true })));
    expect([...place.querySelectorAll(".cv-alternatives li")].map((row) => row.textContent)).toEqual([
      "␣1840 %chosen",
      "␣1730 %",
      "␣1915 %",
      "<b>18</b>1.00 %",
    ]);
    expect(key(map, "ArrowLeft").defaultPrevented).toBe(true);
    expect(panel()).toContain("␣is97 %");
    expect(map.getAttribute("aria-valuetext")).toBe("␣is 97 %; instead of ␣was 3.0 %");
    expect(key(map, "x").defaultPrevented).toBe(false);
  });

  it("can be narrowed to what is uncertain, in the text and in the table", () => {
    open();
    act(() => one("input[type=checkbox]").click());
    key(one(".cv-heat[role=slider]"), "ArrowRight");
    expect(panel()).toContain("🌍49 %");
    expect(panel()).toContain("joined of 3 tokens");
    click("table");
    expect(rows()).toEqual(["␣", "🌍", "␣18"]);
    act(() => one("input[type=checkbox]").click());
    expect(rows()).toHaveLength(8);
  });

  it("show a part of a character as its bytes, and never as markup", () => {
    open();
    key(one(".cv-heat[role=slider]"), "ArrowRight");
    expect(panel()).toContain("\\xe230 %");
    takeAway();
    open({
      tokens: [{ text: EVIL, bytes: null, logprob: -1, alternatives: [], joined: 1 }],
      more: 0,
      mean_logprob: null,
    });
    expect(place.querySelector("img")).toBeNull();
    expect(panel()).toContain("U+001B[31mU+202E");
    expect(panel()).toContain("No alternatives were asked for: top_logprobs=5 gives five.");
  });

  it("of 5,000 tokens have only the rows in sight, wherever the table is scrolled to", () => {
    open(manyTokens(5_000, 20));
    click("table");
    layOut(one(".cv-rows"), 5_000);
    const grid = one("[role=grid]");
    expect(grid.getAttribute("aria-rowcount")).toBe("5001");
    expect(rows().length).toBeLessThan(60);
    key(grid, "End");
    expect(place.querySelector("[aria-selected=true]")?.firstElementChild?.textContent).toBe("4999");
    expect(grid.getAttribute("aria-activedescendant")).toBe(place.querySelector("[aria-selected=true]")?.id);
    expect(rows().length).toBeLessThan(60);
    key(grid, "PageUp");
    expect(panel()).toContain("#4987");
    expect(button("table").getAttribute("aria-pressed")).toBe("true");
  });

  it("that were left out come from the kernel when they are asked for, or why they do not", async () => {
    const turn = new FakeTurn({ ...CARD, logprobs: FULL.logprobs });
    show(<CardView turn={turn} />);
    act(() => {
      one(".cv-fold").setAttribute("open", "");
      one(".cv-fold").dispatchEvent(new Event("toggle"));
    });
    click("Show all");
    await vi.waitFor(() => expect(words()).toContain("turn.logprobs has them all. there are none"));
    turn.all = manyTokens(9, 2);
    click("Show all");
    await vi.waitFor(() => expect(place.querySelectorAll("[role=slider].cv-heat > span")).toHaveLength(9));
    expect(words()).not.toContain("not in the notebook");
  });

  it("that are broken are left out, and the words stay", () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const card = parseTurn({ ...full, logprobs: { tokens: [["a", null, "likely", []]] }, words: 7 });
    expect(card.logprobs).toBeNull();
    expect(card.reply.text).toBe(FULL.reply.text);
    expect(warned.mock.calls.flat().join()).toContain(
      "turn.logprobs.tokens[0] should be [text, bytes, logprob, …]",
    );
    warned.mockRestore();
  });
});

describe("the arithmetic of tokens", () => {
  it("counts all that is not known as one more outcome", () => {
    const half = Math.log(0.5);
    const alternatives = [{ text: "a", bytes: null, logprob: half }];
    const [unit] = unitsOf([{ ...alternatives[0]!, alternatives, joined: 1 }]);
    expect(unit?.entropy_nat).toBeCloseTo(Math.log(2));
  });

  it("knows perplexity as e to the power of the mean", () => {
    const token = { text: "a", bytes: null, logprob: Math.log(0.25), alternatives: [], joined: 1 };
    const form = { tokens: [token, token], more: 0, mean_logprob: null };
    expect(summaryOf(form, unitsOf(form.tokens))?.perplexity).toBeCloseTo(4);
    const unranked = { ...form, tokens: [...form.tokens, { ...token, logprob: -9999 }] };
    expect(summaryOf(unranked, unitsOf(unranked.tokens))?.perplexity).toBeCloseTo(4);
    expect(summaryOf({ ...form, tokens: [] }, [])).toBeNull();
  });

  it.each([
    [1, "100 %"],
    [0.9999, "> 99.9 %"],
    [0.996, "99.6 %"],
    [0.42, "42 %"],
    [0.0123, "1.2 %"],
    [0.001, "0.10 %"],
    [1e-9, "< 0.01 %"],
  ])("writes %f as %s", (probability, written) => {
    expect(percent(probability)).toBe(written);
  });

  it("tells bytes of a whole character from those of a part", () => {
    expect(textOf({ text: "é", bytes: [0xc3, 0xa9], logprob: 0 })).toBe("é");
    expect(textOf({ text: "�", bytes: [0xc3], logprob: 0 })).toBe("\\xc3");
    expect(textOf({ text: "�", bytes: [0xa9, 0x41], logprob: 0 })).toBe("\\xa9\\x41");
    expect(visible("a\n\tb c")).toBe("a↵⇥b␣c");
  });
});
