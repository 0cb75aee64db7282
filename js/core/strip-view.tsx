import { useMemo } from "preact/hooks";
import type { SpanKind, TraceSpan } from "./details";
import { described, stripOf } from "./strip";

const LANE_PX = 16;
const KINDS: readonly SpanKind[] = ["upload", "waiting", "request", "thinking", "tool", "approval", "speech"];

interface StripProps {
  readonly trace: readonly TraceSpan[];
  readonly first_sound_s: number | null;
}

/** One strip for the course of a turn; what happened at once lies below each other. */
export function StripView({ trace, first_sound_s }: StripProps) {
  const strip = useMemo(() => stripOf(trace, first_sound_s, latest_s(trace)), [trace, first_sound_s]);
  const present = KINDS.filter((kind) => trace.some((span) => span.kind === kind));
  const percent = (part: number): string => `${(part * 100).toFixed(2)}%`;
  return (
    <figure class="cv-strip">
      <ul class="cv-lanes" style={`height:${strip.lanes * LANE_PX}px`} aria-label="course of the turn">
        {strip.bars.map((bar, index) => (
          <li
            key={index}
            data-kind={bar.span.kind}
            data-running={bar.running}
            title={described(bar)}
            style={`left:${percent(bar.from)};width:${percent(bar.to - bar.from)};top:${bar.lane * LANE_PX}px`}
          >
            <span class="cv-unseen">{described(bar)}</span>
            {bar.span.kind === "tool" ? <span aria-hidden="true">{bar.span.name}</span> : null}
          </li>
        ))}
        {strip.first_sound === null ? null : (
          <li class="cv-first" style={`left:${percent(strip.first_sound)}`} title="first sound">
            <span class="cv-unseen">first sound at {(strip.first_sound * strip.length_s).toFixed(2)} s</span>
          </li>
        )}
      </ul>
      <figcaption class="cv-quiet">
        {present.map((kind) => (
          <span key={kind} class="cv-kind" data-kind={kind}>
            {kind}
          </span>
        ))}
        {strip.first_sound === null ? null : <span class="cv-kind cv-first">first sound</span>}
        <span class="cv-length">{strip.length_s.toFixed(2)} s</span>
      </figcaption>
    </figure>
  );
}

/** Where a strip ends on which something still lasts: a little after the last thing that is known. */
function latest_s(trace: readonly TraceSpan[]): number {
  return 1.05 * Math.max(0.2, ...trace.map(({ start_s, end_s }) => end_s ?? start_s));
}
