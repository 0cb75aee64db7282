/** The course of a turn laid out as bars on a strip: what happens at once lies in lanes below each other. */

import type { SpanKind, TraceSpan } from "./details";

export interface Bar {
  readonly span: TraceSpan;
  readonly lane: number;
  /** 0…1 of the strip's width. */
  readonly from: number;
  readonly to: number;
  readonly running: boolean;
}

export interface Strip {
  readonly bars: readonly Bar[];
  readonly lanes: number;
  readonly length_s: number;
  /** When the first sound was there, 0…1, or null. */
  readonly first_sound: number | null;
}

/** `now_s`: how long the turn has run, for what has not ended. */
export function stripOf(trace: readonly TraceSpan[], first_sound_s: number | null, now_s: number): Strip {
  const end_s = (span: TraceSpan): number => Math.max(span.start_s, span.end_s ?? now_s);
  const length_s = Math.max(0.001, first_sound_s ?? 0, ...trace.map(end_s));
  const free_from_s: number[] = [];
  const sorted = [...trace].sort((one, other) => one.start_s - other.start_s);
  const bars = sorted.map((span): Bar => {
    // A hair of overlap comes from rounding and is no second lane.
    const lane = free_from_s.findIndex((free_s) => free_s <= span.start_s + 0.002);
    const place = lane < 0 ? free_from_s.length : lane;
    free_from_s[place] = end_s(span);
    return {
      span,
      lane: place,
      from: span.start_s / length_s,
      to: end_s(span) / length_s,
      running: span.end_s === null,
    };
  });
  const first_sound = first_sound_s === null ? null : first_sound_s / length_s;
  return { bars, lanes: Math.max(1, free_from_s.length), length_s, first_sound };
}

const NAMES: Readonly<Record<SpanKind, string>> = {
  upload: "upload",
  waiting: "waiting for the first byte",
  request: "request",
  thinking: "thinking",
  tool: "tool",
  approval: "waiting for approval",
  speech: "speech",
};

/** "tool forecast, 0.52 to 0.90 s". */
export function described({ span, running }: Bar): string {
  const name = span.name === "" ? NAMES[span.kind] : `${NAMES[span.kind]} ${span.name}`;
  const from = span.start_s.toFixed(2);
  return running ? `${name}, since ${from} s` : `${name}, ${from} to ${(span.end_s ?? 0).toFixed(2)} s`;
}
