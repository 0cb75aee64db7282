import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { bars, growingAxis_s } from "./bars";
import { clock } from "./format";

interface WaveformProps {
  readonly peaks: readonly number[];
  /** Seconds that `peaks` cover. */
  readonly covers_s: number;
  /** Still arriving: drawn over a longer axis, with dots for what is to come. */
  readonly growing?: boolean;
}

interface SeekableProps extends WaveformProps {
  readonly name: string;
  readonly position_s: ReadonlySignal<number>;
  readonly onSeek: (position_s: number) => void;
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
  position_s,
  onSeek,
  onToggle,
}: SeekableProps) {
  const axis_s = growing ? growingAxis_s(covers_s) : covers_s;
  const { box, drawn } = useBars(peaks, covers_s, axis_s);
  const clip = useComputed(() => {
    const played = axis_s > 0 ? Math.min(1, position_s.value / axis_s) : 0;
    return `clip-path:inset(0 ${((1 - played) * 100).toFixed(2)}% 0 0)`;
  });
  const seekTo = (event: PointerEvent): void => {
    const edges = box.current?.getBoundingClientRect();
    if (!edges || edges.width === 0) return;
    const part = Math.min(1, Math.max(0, (event.clientX - edges.left) / edges.width));
    onSeek(Math.min(covers_s, part * axis_s));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const target_s = seekByKey(event.key, position_s.peek(), covers_s);
    if (target_s !== null) onSeek(target_s);
    else if (event.key === " " || event.key === "Enter") onToggle();
    else return;
    event.preventDefault();
  };
  return (
    <div
      class="cv-wave cv-seek"
      ref={box}
      role="slider"
      tabIndex={0}
      aria-label={name}
      aria-valuemin={0}
      aria-valuemax={round(covers_s)}
      aria-valuenow={round(Math.min(position_s.value, covers_s))}
      aria-valuetext={`${clock(position_s.value, covers_s)} of ${clock(covers_s)}${covers_s < 60 ? " seconds" : ""}`}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        seekTo(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) seekTo(event);
      }}
    >
      {drawn}
      <div class="cv-played" style={clip}>
        {drawn}
      </div>
    </div>
  );
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
