/** A place in the page where a test mounts a view, and hands that press and type. */

import { act as flush } from "preact/test-utils";
import { afterEach, beforeEach } from "vitest";
import example from "../../tests/contract/turn.v1.json";
import { mount, parseTurn, type TurnCard } from "../core";

export const CARD = parseTurn(example);

/** Do something and let the views follow. */
export function act(run: () => unknown): void {
  void flush(() => {
    run();
  });
}

export let place: HTMLElement;
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

export function show(view: Parameters<typeof mount>[1]): void {
  act(() => {
    unmount = mount(place, view);
  });
}

/** Unmount what is shown, before the test ends. */
export function takeAway(): void {
  act(() => unmount());
  unmount = () => undefined;
}

export function one(selector: string): HTMLElement {
  const found = place.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`${selector} is not in ${place.innerHTML}`);
  return found;
}

export function button(name: string): HTMLButtonElement {
  for (const found of place.querySelectorAll("button")) {
    if ((found.getAttribute("aria-label") ?? found.textContent).startsWith(name)) return found;
  }
  throw new Error(`no button "${name}" in ${place.innerHTML}`);
}

export function click(name: string): void {
  act(() => button(name).click());
}

export function key(
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

/** Open a fold, as a click on its summary does in a browser. */
export function unfold(selector: string): void {
  act(() => {
    const fold = one(selector);
    if (fold instanceof HTMLDetailsElement) fold.open = true;
    fold.dispatchEvent(new Event("toggle"));
  });
}

export function pointer(target: HTMLElement, type: string, at_px = 0): void {
  act(() => void target.dispatchEvent(new MouseEvent(type, { bubbles: true, button: 0, clientX: at_px })));
}

export const words = (): string => place.textContent.replace(/\s+/g, " ");
export const said = (): string =>
  [...place.querySelectorAll("[role=status]")].map((live) => live.textContent).join("|");

export function running(text: string): TurnCard {
  return { ...CARD, state: "running", reply: { ...CARD.reply, text, sound: null } };
}
