import { describe, expect, it, vi } from "vitest";
import full from "../../tests/contract/turn.v1.full.json";
import { CardView, parseTurn, type TurnCard } from "../core";
import { safeNodes } from "../core/safe-html";
import { stripOf } from "../core/strip";
import { ASKING } from "../gallery/details";
import { FakePlayer, FakeTurn } from "./fake-ports";
import { act, button, click, one, place, said, show, takeAway, words } from "./stage";

const FULL = parseTurn(full);

function open(card: TurnCard): FakeTurn {
  const turn = new FakeTurn(card, new FakePlayer("paused", 2));
  show(<CardView turn={turn} />);
  for (const fold of place.querySelectorAll<HTMLDetailsElement>(".cv-fold")) {
    act(() => {
      fold.open = true;
      fold.dispatchEvent(new Event("toggle"));
    });
  }
  return turn;
}

const call = (name: string): HTMLElement => {
  for (const found of place.querySelectorAll<HTMLElement>(".cv-call"))
    if (found.querySelector(".cv-call-name")?.textContent.startsWith(name)) return found;
  throw new Error(`no call of ${name}`);
};

describe("the calls of tools", () => {
  it("are one line that names the tools and what went wrong", () => {
    show(<CardView turn={new FakeTurn(FULL)} />);
    expect(one(".cv-fold summary").textContent).toBe(
      "4 tool calls" + "temperature, forecast, remember, …" + "1 failed" + "1 rejected",
    );
  });

  it("opened, show what went in, what came out, how long it took, and what was wrong", () => {
    open(FULL);
    expect(call("temperature").textContent).toContain('city: "Zürich"');
    expect(call("temperature").textContent).toContain("0.58 s");
    takeAway();
    open({
      ...FULL,
      tool_calls: FULL.tool_calls.map((one) => ({ ...one, started_s: 1, ended_s: 1.0004 })),
    });
    expect(call("temperature").textContent).toContain("under 0.01 s");
    expect([...call("forecast").querySelectorAll("td")].map((cell) => cell.textContent)).toEqual([
      "Mon",
      "18",
      "Tue",
      "21",
    ]);
    expect(call("remember").textContent).toContain('{"city": ');
    expect(call("remember").textContent).toContain("the arguments are no JSON; expected an object with city");
    expect(call("send_mail").textContent).toContain("rejected: not today");
    expect(place.querySelector("script")).toBeNull();
  });

  it("that wait are opened, and said to a screen reader", () => {
    show(<CardView turn={new FakeTurn(ASKING)} />);
    expect(one(".cv-fold").hasAttribute("open")).toBe(true);
    expect(call("send_mail").hasAttribute("open")).toBe(true);
    expect(said()).toContain("send_mail waits for your approval");
    expect(words()).toContain("1 waiting for approval");
  });

  it.each([
    ["Approve", '{"action":"approve"}'],
    ["Always allow", '{"action":"always"}'],
    ["Reject", '{"action":"reject","reason":"not today"}'],
  ])("are decided once: %s", async (name, decision) => {
    const turn = open(ASKING);
    (one(".cv-reject input") as HTMLInputElement).value = "not today";
    click(name);
    click(name);
    await vi.waitFor(() => expect(turn.asked).toEqual([`send_mail ${decision}`]));
    expect(button(name).disabled).toBe(true);
  });

  it("take other arguments, and say what is wrong with them before and after they are sent", async () => {
    const turn = open(ASKING);
    click("Edit");
    const field = one(".cv-edit textarea") as HTMLTextAreaElement;
    const write = (text: string): void =>
      act(() => {
        field.value = text;
        field.dispatchEvent(new Event("input"));
      });
    write("{nonsense");
    click("Approve");
    expect(one("[role=alert]").textContent).toContain("The arguments are no JSON");
    write("[1]");
    click("Approve");
    expect(one("[role=alert]").textContent).toContain("have to be one JSON object");
    expect(turn.asked).toEqual([]);
    click("Always allow");
    expect(one("[role=alert]").textContent).toContain("have to be one JSON object");
    expect(turn.asked).toEqual([]);
    turn.refusal = "send_mail: to: expected an address";
    write('{"to": "ada@example.org"}');
    click("Approve");
    await vi.waitFor(() => expect(one("[role=alert]").textContent).toBe(turn.refusal));
    expect(turn.asked).toEqual(['send_mail {"action":"approve","args":{"to":"ada@example.org"}}']);
  });

  it("take other arguments with leave for all that follow, too", async () => {
    const turn = open(ASKING);
    click("Edit");
    const field = one(".cv-edit textarea") as HTMLTextAreaElement;
    act(() => {
      field.value = '{"to": "ada@example.org"}';
      field.dispatchEvent(new Event("input"));
    });
    expect(button("Always allow").title).toContain("Run this call with these arguments, and send_mail");
    click("Always allow");
    await vi.waitFor(() =>
      expect(turn.asked).toEqual(['send_mail {"action":"always","args":{"to":"ada@example.org"}}']),
    );
  });

  it("cannot be decided where no kernel listens", () => {
    const turn = new FakeTurn(ASKING);
    turn.decide = null;
    show(<CardView turn={turn} />);
    expect(words()).toContain("It waits for approval: session.pending has it.");
    expect(() => button("Approve")).toThrow();
  });
});

describe("the strip of a turn", () => {
  it("has a row for the model and one for each tool, with the time that its calls took", () => {
    const strip = stripOf(FULL.trace, 2.02, 0);
    expect(strip.rows.map(({ tool, bars }) => [tool, ...bars.map(({ span }) => span.kind)])).toEqual([
      [null, "upload", "waiting", "thinking", "request", "speech"],
      ["send_mail", "approval"],
      ["temperature", "tool"],
      ["forecast", "tool"],
    ]);
    expect(strip.rows.map(({ took_s }) => took_s && took_s.toFixed(2))).toEqual([
      null,
      "1.10",
      "0.58",
      "0.38",
    ]);
    expect(strip.length_s).toBe(3.4);
    expect(strip.first_sound).toBeCloseTo(2.02 / 3.4);
  });

  it("keeps calls of one tool in its row unless they ran at once", () => {
    const calls = [
      [0, 1],
      [1, 2],
      [1.5, 3],
    ].map(([start_s = 0, end_s = 0]) => ({
      kind: "tool" as const,
      name: "weather",
      start_s,
      end_s,
      round: 1,
      call_id: null,
    }));
    expect(stripOf(calls, null, 0).rows.map(({ bars }) => bars.length)).toEqual([2, 1]);
  });

  it("says each bar in words, and no request whose parts are there", () => {
    open(FULL);
    const bars = [...place.querySelectorAll(".cv-lanes .cv-unseen")].map((bar) => bar.textContent);
    expect(bars).toContain("tool forecast, 0.52 to 0.90 s");
    expect(bars.filter((bar) => bar.startsWith("request"))).toEqual(["request, 1.62 to 1.90 s"]);
    expect(one(".cv-strip figcaption").textContent).toContain("first sound 2.02 s");
    takeAway();
    open(ASKING);
    expect(words()).toContain("waiting for approval send_mail, since 0.50 s");
  });
});

describe("HTML of a result", () => {
  const safe = (html: string): string => {
    const box = document.createElement("div");
    box.append(safeNodes(html));
    return box.innerHTML;
  };

  it("keeps tables and pictures that lie in the text", () => {
    const table =
      '<table><tbody><tr><th scope="row">a</th><td colspan="2"><b>1</b></td></tr></tbody></table>';
    expect(safe(table)).toBe(table);
    expect(safe('<img src="data:image/png;base64,AAAA" alt="a plot">')).toBe(
      '<img src="data:image/png;base64,AAAA" alt="a plot">',
    );
  });

  it.each([
    ['<img src="https://evil.example/x.png">', ""],
    ['<img src=x onerror="alert(1)">', ""],
    ['<img src="data:image/svg+xml;base64,AAAA">', ""],
    ["<script>alert(1)</script><style>*{display:none}</style>hi", "hi"],
    ['<a href="javascript:alert(1)" onclick="alert(1)">go</a>', "go"],
    ['<td style="position:fixed" onmouseover=alert(1)>x</td>', "x"],
    ['<div style="position:fixed" class="jp-Cell" id=x>x</div>', "<div>x</div>"],
    ["<svg><script>alert(1)</script></svg><math><mtext>m</mtext></math>t", "t"],
    ["<form action=/><input name=a>f</form><iframe src=x>i</iframe>", "f"],
    ["<constructor>c</constructor>", "c"],
  ])("of %s leaves %s", (html, left) => {
    expect(safe(html)).toBe(left);
  });
});
