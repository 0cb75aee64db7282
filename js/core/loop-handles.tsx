import { useRef } from "preact/hooks";
import { clock } from "./format";
import type { Loop, PlayerPort } from "./ports";

/** Shorter than this nothing is heard but a buzz. */
const SHORTEST_S = 0.1;
const STEP_S = 0.1;

interface HandlesProps {
  readonly player: PlayerPort;
  /** Seconds that the track is wide. */
  readonly axis_s: number;
  /** Seconds of sound that are there. */
  readonly covers_s: number;
}

/** The two ends of what plays round and round: to be dragged, or moved with the arrow keys. */
export function LoopHandles({ player, axis_s, covers_s }: HandlesProps) {
  const loop = player.loop.value;
  if (loop === null || axis_s === 0) return null;
  const percent = (time_s: number): string => `${((100 * time_s) / axis_s).toFixed(2)}%`;
  const move = (end: keyof Loop, to_s: number): void => player.setLoop(moved(loop, end, to_s, covers_s));
  return (
    <div class="cv-loop" style={`--from:${percent(loop.from_s)};--to:${percent(loop.to_s)}`}>
      <Handle name="loop start" end="from_s" loop={loop} covers_s={covers_s} axis_s={axis_s} onMove={move} />
      <Handle name="loop end" end="to_s" loop={loop} covers_s={covers_s} axis_s={axis_s} onMove={move} />
    </div>
  );
}

/** The loop with one end elsewhere: inside the sound, and never past the other end. */
export function moved(loop: Loop, end: keyof Loop, to_s: number, covers_s: number): Loop {
  const place_s = Math.round(to_s * 100) / 100;
  return end === "from_s"
    ? { ...loop, from_s: Math.max(0, Math.min(place_s, loop.to_s - SHORTEST_S)) }
    : { ...loop, to_s: Math.min(covers_s, Math.max(place_s, loop.from_s + SHORTEST_S)) };
}

interface HandleProps {
  readonly name: string;
  readonly end: keyof Loop;
  readonly loop: Loop;
  readonly covers_s: number;
  readonly axis_s: number;
  readonly onMove: (end: keyof Loop, to_s: number) => void;
}

function Handle({ name, end, loop, covers_s, axis_s, onMove }: HandleProps) {
  const handle = useRef<HTMLDivElement>(null);
  const at_s = loop[end];
  const drag = (event: PointerEvent): void => {
    const track = handle.current?.parentElement?.getBoundingClientRect();
    if (track && track.width > 0) onMove(end, ((event.clientX - track.left) / track.width) * axis_s);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const to_s = byKey(event.key, at_s, covers_s);
    if (to_s === null) return;
    event.preventDefault();
    onMove(end, to_s);
  };
  return (
    <div
      class="cv-handle"
      data-end={end === "from_s" ? "start" : "end"}
      ref={handle}
      role="slider"
      tabIndex={0}
      aria-label={name}
      aria-valuemin={0}
      aria-valuemax={covers_s}
      aria-valuenow={at_s}
      aria-valuetext={`${clock(at_s, covers_s)} of ${clock(covers_s)}`}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        if (event.button === 0) event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) drag(event);
      }}
    />
  );
}

function byKey(key: string, at_s: number, covers_s: number): number | null {
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return at_s + STEP_S;
    case "ArrowLeft":
    case "ArrowDown":
      return at_s - STEP_S;
    case "PageUp":
      return at_s + 10 * STEP_S;
    case "PageDown":
      return at_s - 10 * STEP_S;
    case "Home":
      return 0;
    case "End":
      return covers_s;
    default:
      return null;
  }
}
