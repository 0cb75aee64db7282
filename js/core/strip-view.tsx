import { useMemo } from "preact/hooks";
import type { SpanKind, TraceSpan } from "./details";
import { hundredths } from "./format";
import { described, stripOf, type Bar, type Row } from "./strip";
import { visible } from "./tokens";

const KINDS: readonly SpanKind[] = ["upload", "waiting", "request", "thinking", "tool", "approval", "speech"];

interface StripProps {
  readonly trace: readonly TraceSpan[];
  readonly first_sound_s: number | null;
}

/** The course of a turn: a row for the model and for each tool, with its name and how long it took. */
export function StripView({ trace, first_sound_s }: StripProps) {
  const strip = useMemo(() => stripOf(trace, first_sound_s, latest_s(trace)), [trace, first_sound_s]);
  const drawn = strip.rows.flatMap(({ bars }) => bars.map(({ span }) => span.kind));
  return (
    <figure class="cv-strip">
      <ul class="cv-lanes" aria-label="course of the turn">
        {strip.rows.map((row, index) => (
          <Lane key={index} row={row} first_sound={strip.first_sound} />
        ))}
      </ul>
      <figcaption class="cv-quiet">
        {KINDS.filter((kind) => drawn.includes(kind)).map((kind) => (
          <span key={kind} class="cv-kind" data-kind={kind}>
            {kind}
          </span>
        ))}
        {first_sound_s === null ? null : (
          <span class="cv-kind cv-first">first sound {first_sound_s.toFixed(2)} s</span>
        )}
        <span class="cv-length">{strip.length_s.toFixed(2)} s in all</span>
      </figcaption>
    </figure>
  );
}

function Lane({ row, first_sound }: { row: Row; first_sound: number | null }) {
  return (
    <li>
      {row.tool === null ? (
        <span class="cv-quiet">model</span>
      ) : (
        <code class="cv-actor" dir="auto" title={row.tool}>
          {row.tool === "" ? "tool" : visible(row.tool)}
        </code>
      )}
      <span class="cv-bars">
        {row.bars.map((bar, index) => (
          <BarView key={index} bar={bar} />
        ))}
        {first_sound === null ? null : <i class="cv-first" style={`left:${percent(first_sound)}`} />}
      </span>
      <span class="cv-number">{row.took_s === null ? "" : hundredths(row.took_s)}</span>
    </li>
  );
}

function BarView({ bar }: { bar: Bar }) {
  const { from, to, span, running } = bar;
  return (
    <span
      data-kind={span.kind}
      data-running={running}
      title={described(bar)}
      style={`left:${percent(from)};width:${percent(to - from)}`}
    >
      <span class="cv-unseen">{described(bar)}</span>
    </span>
  );
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)}%`;
}

/** Where a strip ends on which something still lasts: a little after the last thing that is known. */
function latest_s(trace: readonly TraceSpan[]): number {
  return 1.05 * Math.max(0.2, ...trace.map(({ start_s, end_s }) => end_s ?? start_s));
}
