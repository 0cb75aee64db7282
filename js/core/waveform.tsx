import { computed, useSignal } from "@preact/signals";
import type { TargetedPointerEvent } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { bars, growingAxis_s } from "./bars";
import type { TimedWord } from "./details";
import { clock } from "./format";
import { LoopHandles } from "./loop-handles";
import type { PlayerPort } from "./ports";
import { wordAt } from "./words";

interface WaveformProps {
  readonly peaks: readonly number[];
  /** Seconds that `peaks` cover. */
  readonly covers_s: number;
  /** Still arriving: drawn over a longer axis, with dots for what is to come. */
  readonly growing?: boolean;
}

interface SeekableProps extends WaveformProps {
  readonly name: string;
  readonly player: PlayerPort;
  /** Shift and an arrow go from one to the next. */
  readonly words: readonly TimedWord[];
  readonly onToggle: () => void;
}

/** A picture of sound, without anything to press. */
export function Waveform({ peaks, covers_s, growing = false }: WaveformProps) {
  const { box, drawn } = useBars(peaks, covers_s, growing ? growingAxis_s(covers_s) : covers_s);
  return (
    <div class="cv-wave" ref={box} aria-hidden="true">
      {drawn}
    </div>
  );
}

/** Sound that can be clicked, dragged and walked through with the arrow keys; what was played is coloured. */
export function SeekableWaveform({
  peaks,
  covers_s,
  growing = false,
  name,
  player,
  words,
  onToggle,
}: SeekableProps) {
  const { position_s } = player;
  const axis_s = growing ? growingAxis_s(covers_s) : covers_s;
  const { box, drawn } = useBars(peaks, covers_s, axis_s);
  const { clip, tenths_s, spoken } = useProgress(player, axis_s, covers_s);
  const pointer = usePointer(box, axis_s, covers_s, player);
  const onKeyDown = (event: KeyboardEvent): void => {
    const now_s = position_s.peek();
    const target_s =
      (event.shiftKey ? wordByKey(event.key, now_s, words) : null) ?? seekByKey(event.key, now_s, covers_s);
    if (target_s !== null) player.seek(target_s);
    else if (event.key === " " || event.key === "Enter") onToggle();
    else return;
    event.preventDefault();
  };
  return (
    <div class="cv-track">
      <div
        class="cv-wave cv-seek"
        ref={box}
        role="slider"
        tabIndex={0}
        title="Click or drag to seek, Shift and drag to loop a part"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={round(covers_s)}
        aria-valuenow={tenths_s}
        aria-valuetext={spoken}
        onKeyDown={onKeyDown}
        {...pointer}
      >
        {drawn}
        <div class="cv-played" style={clip}>
          {drawn}
        </div>
      </div>
      <LoopHandles player={player} axis_s={axis_s} covers_s={covers_s} />
    </div>
  );
}

/** How far it has been played, as a picture, a number and words that follow by themselves, without a view drawn anew. */
function useProgress({ position_s }: PlayerPort, axis_s: number, covers_s: number) {
  // Made anew with the lengths: what is computed once sees only signals change.
  return useMemo(() => {
    const tenths_s = computed(() => round(Math.min(position_s.value, covers_s)));
    return {
      tenths_s,
      spoken: computed(
        () => `${clock(tenths_s.value, covers_s)} of ${clock(covers_s)}${covers_s < 60 ? " seconds" : ""}`,
      ),
      clip: computed(() => {
        const played = axis_s > 0 ? Math.min(1, position_s.value / axis_s) : 0;
        return `clip-path:inset(0 ${((1 - played) * 100).toFixed(2)}% 0 0)`;
      }),
    };
  }, [position_s, axis_s, covers_s]);
}

/** A press seeks, a drag goes on seeking; with Shift it marks what is to be looped. */
function usePointer(
  box: { readonly current: HTMLDivElement | null },
  axis_s: number,
  covers_s: number,
  player: PlayerPort,
) {
  const marked_from_s = useRef<number | null>(null);
  const timeAt = (event: PointerEvent): number | null => {
    const edges = box.current?.getBoundingClientRect();
    if (!edges || edges.width === 0) return null;
    const part = Math.min(1, Math.max(0, (event.clientX - edges.left) / edges.width));
    return Math.min(covers_s, part * axis_s);
  };
  const follow = (event: PointerEvent): void => {
    const at_s = timeAt(event);
    if (at_s === null) return;
    const from_s = marked_from_s.current;
    if (from_s === null) player.seek(at_s);
    else if (Math.abs(at_s - from_s) >= 0.1)
      player.setLoop({ from_s: Math.min(at_s, from_s), to_s: Math.max(at_s, from_s) });
  };
  return {
    onPointerDown(event: TargetedPointerEvent<HTMLDivElement>): void {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      marked_from_s.current = event.shiftKey ? timeAt(event) : null;
      follow(event);
    },
    onPointerMove(event: TargetedPointerEvent<HTMLDivElement>): void {
      if (event.currentTarget.hasPointerCapture(event.pointerId)) follow(event);
    },
  };
}

/** The start of the next word, or of the one before; null for any other key, and where there is none. */
function wordByKey(key: string, now_s: number, words: readonly TimedWord[]): number | null {
  // A hair later than its start, a word is the one that is spoken.
  const current = wordAt(words, now_s + 0.01);
  const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  return step === 0 ? null : (words[current + step]?.start_s ?? null);
}

function seekByKey(key: string, now_s: number, end_s: number): number | null {
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return Math.min(end_s, now_s + 1);
    case "ArrowLeft":
    case "ArrowDown":
      return Math.max(0, now_s - 1);
    case "PageUp":
      return Math.min(end_s, now_s + 10);
    case "PageDown":
      return Math.max(0, now_s - 10);
    case "Home":
      return 0;
    case "End":
      return end_s;
    default:
      return null;
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The bars, drawn for the box's real width so that they are crisp at every size. */
function useBars(peaks: readonly number[], covers_s: number, axis_s: number) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSignal({ width_px: 0, height_px: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = (): void => {
      const { clientWidth: width_px, clientHeight: height_px } = element;
      if (width_px !== size.peek().width_px) size.value = { width_px, height_px };
    };
    measure();
    if (typeof ResizeObserver === "undefined") return undefined;
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  const { width_px, height_px } = size.value;
  const drawn = useMemo(() => {
    const paths = bars(peaks, covers_s, axis_s, width_px, height_px);
    return (
      <svg viewBox={`0 0 ${width_px} ${height_px}`} width={width_px} height={height_px} aria-hidden="true">
        <path class="cv-ahead" d={paths.ahead} />
        <path class="cv-heard" d={paths.heard} />
      </svg>
    );
  }, [peaks, covers_s, axis_s, width_px, height_px]);
  return { box, drawn };
}
