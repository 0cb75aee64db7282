import { useSignalEffect, type Signal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { percent, UNCERTAIN, visible, type Unit } from "./tokens";

/** Probabilities below these are drawn one step warmer each. */
const STEPS = [0.9, 0.7, UNCERTAIN, 0.25, 0.1] as const;

interface MapProps {
  readonly units: readonly Unit[];
  /** Index of the unit whose alternatives are shown. */
  readonly current: Signal<number>;
  readonly onlyUncertain: boolean;
}

/** The reply with each token as warm as it was unlikely; hover, a click or the arrow keys choose one. */
export function TokenMap({ units, current, onlyUncertain }: MapProps) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useMemo(
    () => units.map((unit, index) => <Piece key={index} unit={unit} index={index} />),
    [units],
  );
  // Marked by hand: drawing thousands of tokens for each movement of the pointer would be felt.
  useSignalEffect(() => {
    const now = box.current?.children[current.value];
    box.current?.querySelector(".cv-now")?.classList.remove("cv-now");
    now?.classList.add("cv-now");
  });
  const choose = (event: Event): void => {
    const index = event.target instanceof HTMLElement ? event.target.dataset["i"] : undefined;
    if (index !== undefined) current.value = Number(index);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = stepped(event.key, current.peek(), units, onlyUncertain);
    if (next === null) return;
    event.preventDefault();
    current.value = next;
    reveal(box.current, next);
  };
  return (
    <div
      class="cv-heat"
      ref={box}
      role="slider"
      tabIndex={0}
      dir="auto"
      data-only={onlyUncertain}
      aria-label="token of the reply"
      aria-valuemin={1}
      aria-valuemax={units.length}
      aria-valuenow={current.value + 1}
      aria-valuetext={spoken(units[current.value])}
      onPointerOver={choose}
      onPointerDown={choose}
      onKeyDown={onKeyDown}
    >
      {drawn}
    </div>
  );
}

/** Scroll the box, and nothing around it, to where a token is in sight. */
function reveal(box: HTMLElement | null, index: number): void {
  const piece = box?.children[index];
  if (box === null || !(piece instanceof HTMLElement)) return;
  const top_px = piece.offsetTop - box.offsetTop;
  const below_px = top_px + piece.offsetHeight - box.clientHeight;
  if (top_px < box.scrollTop) box.scrollTop = top_px;
  else if (below_px > box.scrollTop) box.scrollTop = below_px;
}

function Piece({ unit, index }: { unit: Unit; index: number }) {
  const step = STEPS.filter((limit) => unit.probability < limit).length;
  const { text } = unit;
  return (
    <span data-i={index} data-p={step === 0 ? undefined : step}>
      {text.includes("\n") ? text.replace(/\n/g, "↵\n") : text}
    </span>
  );
}

/** The index that a key leads to, or null for a key that is not ours. */
export function stepped(
  key: string,
  from: number,
  units: readonly Unit[],
  onlyUncertain: boolean,
): number | null {
  const walk = (by: number): number => {
    for (let at = from + by; at >= 0 && at < units.length; at += by)
      if (!onlyUncertain || (units[at]?.probability ?? 1) < UNCERTAIN) return at;
    return from;
  };
  switch (key) {
    case "ArrowRight":
    case "ArrowDown":
      return walk(1);
    case "ArrowLeft":
    case "ArrowUp":
      return walk(-1);
    case "PageDown":
      return Math.min(units.length - 1, from + 10);
    case "PageUp":
      return Math.max(0, from - 10);
    case "Home":
      return 0;
    case "End":
      return units.length - 1;
    default:
      return null;
  }
}

/** One token in words, with the three most likely alternatives. */
function spoken(unit: Unit | undefined): string {
  if (unit === undefined) return "";
  const others = unit.alternatives.filter(({ text }) => text !== unit.text).slice(0, 3);
  const said = others.map(({ text, logprob }) => `${visible(text)} ${percent(Math.exp(logprob))}`);
  const instead = said.length > 0 ? `; instead of ${said.join(", ")}` : "";
  return `${visible(unit.text)} ${percent(unit.probability)}${instead}`;
}
