/** The course of a turn laid out in rows: the model's own, then one for each tool; calls at once have rows of their own. */

import type { SpanKind, TraceSpan } from "./details";

export interface Bar {
  readonly span: TraceSpan;
  /** 0…1 of the strip's width. */
  readonly from: number;
  readonly to: number;
  readonly running: boolean;
}

export interface Row {
  /** The tool's, or null for the model. */
  readonly tool: string | null;
  readonly bars: readonly Bar[];
  /** How long its calls took together; null for the model, and while one lasts. */
  readonly took_s: number | null;
}

export interface Strip {
  readonly rows: readonly Row[];
  readonly length_s: number;
  /** When the first sound was there, 0…1, or null. */
  readonly first_sound: number | null;
}

/** `now_s`: how long the turn has run, for what has not ended. */
export function stripOf(trace: readonly TraceSpan[], first_sound_s: number | null, now_s: number): Strip {
  const end_s = (span: TraceSpan): number => Math.max(span.start_s, span.end_s ?? now_s);
  const length_s = Math.max(0.001, first_sound_s ?? 0, ...trace.map(end_s));
  const drawn = (span: TraceSpan): Bar => ({
    span,
    from: span.start_s / length_s,
    to: end_s(span) / length_s,
    running: span.end_s === null,
  });
  const rows = rowsOf(withoutWholes(trace), end_s).map(({ tool, spans }): Row => {
    const lasts = tool === null || spans.some((span) => span.end_s === null);
    const took_s = spans.reduce((sum, span) => sum + end_s(span) - span.start_s, 0);
    return { tool, bars: spans.map(drawn), took_s: lasts ? null : took_s };
  });
  return { rows, length_s, first_sound: first_sound_s === null ? null : first_sound_s / length_s };
}

/** Without the requests whose parts are known: they would lie over them. */
function withoutWholes(trace: readonly TraceSpan[]): readonly TraceSpan[] {
  const parted = new Set(trace.filter(({ kind }) => PARTS.has(kind)).map(({ round }) => round));
  return trace.filter(({ kind, round }) => kind !== "request" || !parted.has(round));
}

const PARTS: ReadonlySet<SpanKind> = new Set(["upload", "waiting", "thinking"]);

function rowsOf(
  trace: readonly TraceSpan[],
  end_s: (span: TraceSpan) => number,
): ReadonlyArray<{ readonly tool: string | null; readonly spans: readonly TraceSpan[] }> {
  const model: TraceSpan[] = [];
  const tools: Array<{ tool: string; spans: TraceSpan[]; free_s: number }> = [];
  for (const span of [...trace].sort((one, other) => one.start_s - other.start_s)) {
    if (span.kind !== "tool" && span.kind !== "approval") {
      model.push(span);
      continue;
    }
    // A hair of overlap comes from rounding and is no second row.
    let row = tools.find(({ tool, free_s }) => tool === span.name && free_s <= span.start_s + 0.002);
    if (row === undefined) tools.push((row = { tool: span.name, spans: [], free_s: 0 }));
    row.spans.push(span);
    row.free_s = end_s(span);
  }
  return [...(model.length > 0 ? [{ tool: null, spans: model }] : []), ...tools];
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
