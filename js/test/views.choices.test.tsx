import { describe, expect, it } from "vitest";
import full from "../../tests/contract/turn.v1.full.json";
import { CardView, parseTurn, type TurnCard } from "../core";
import { FakePlayer, FakeTurn } from "./fake-ports";
import { act, click, one, place, show } from "./stage";

const FULL = parseTurn(full);

function opened(card: TurnCard, turn = new FakeTurn(card, new FakePlayer("ready", 2))): HTMLElement[] {
  show(<CardView turn={turn} />);
  const folds = [...place.querySelectorAll<HTMLDetailsElement>(".cv-fold")];
  const fold = folds.find((found) => found.textContent.includes("other choice"));
  if (fold === undefined) throw new Error("the card has no other choices");
  act(() => {
    fold.open = true;
    fold.dispatchEvent(new Event("toggle"));
  });
  return [...place.querySelectorAll<HTMLElement>(".cv-other")];
}

describe("the other choices of a turn", () => {
  it("stand one below the other, counted as turn.choices are", () => {
    const [spoken, refused] = opened(FULL);
    expect(one(".cv-folds").textContent).toContain("3 other choices");
    expect(spoken?.textContent).toContain("choice 23.4 s");
    expect(spoken?.textContent).toContain("It is 18 degrees in Zürich just now");
    expect(refused?.getAttribute("aria-label")).toBe("choice 3");
    expect(refused?.textContent).toBe(
      'choice 3refusedcontent_filterI can\'t say <b>that</b>.forecast({"city": "Zürich"})',
    );
    expect(place.querySelector(".cv-other b")).toBeNull();
  });

  it("say how many had no room", () => {
    opened(FULL);
    expect(one(".cv-folded").textContent).toContain("1 more choice is not in the notebook");
  });

  it("are played where the kernel has their sound, and only drawn where it is not here", () => {
    const turn = new FakeTurn(FULL, new FakePlayer("ready", 2));
    const player = new FakePlayer("ready", 3.4);
    turn.choices.set(1, player);
    opened(FULL, turn);
    click("Play the choice 2");
    expect(player.asked).toContain("play");
    opened(FULL);
    expect(place.querySelector('.cv-other [aria-label^="Play"]')).toBeNull();
    expect(place.querySelector(".cv-other svg")).not.toBeNull();
  });

  it("are absent from a card with one reply, and one that is broken leaves the rest whole", () => {
    show(<CardView turn={new FakeTurn({ ...FULL, other_choices: null }, new FakePlayer("ready", 2))} />);
    expect(one(".cv-folds").textContent).not.toContain("other choice");
    const broken = parseTurn({ ...full, other_choices: { choices: [{ index: "first" }], more: 0 } });
    expect([broken.other_choices, broken.reply.text]).toEqual([null, FULL.reply.text]);
  });
});
