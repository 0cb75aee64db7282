import { useComputed } from "@preact/signals";
import type { RecorderPort } from "./ports";

const FLOOR_DBFS = -60;
const MARKS_DBFS = [-60, -48, -36, -24, -12, 0];

/** How loud it is now, on a scale in dBFS, with a lamp that stays lit once the sound was clipped. */
export function LevelMeter({ recorder }: { recorder: RecorderPort }) {
  const covered = useComputed(() => `inset-inline-start:${percent(recorder.level_dbfs.value)}`);
  const clipped = recorder.clipped.value;
  const level_dbfs = Math.round(Math.max(FLOOR_DBFS, recorder.level_dbfs.value));
  return (
    <div class="cv-level">
      <div
        class="cv-bar"
        role="meter"
        aria-label="microphone level"
        aria-valuemin={FLOOR_DBFS}
        aria-valuemax={0}
        aria-valuenow={level_dbfs}
        aria-valuetext={`${level_dbfs} dBFS${clipped ? ", clipped" : ""}`}
      >
        <i style={covered} />
      </div>
      <div class="cv-scale" aria-hidden="true">
        {MARKS_DBFS.map((mark_dbfs) => (
          <span key={mark_dbfs} style={`inset-inline-start:${percent(mark_dbfs)}`}>
            {minus(mark_dbfs)}
          </span>
        ))}
      </div>
      <span class="cv-clip" data-lit={clipped} aria-hidden="true">
        {clipped ? "too loud" : `${minus(level_dbfs)} dB`}
      </span>
    </div>
  );
}

function minus(level_dbfs: number): string {
  return String(level_dbfs).replace("-", "\u2212");
}

function percent(level_dbfs: number): string {
  const part = 1 - Math.max(FLOOR_DBFS, Math.min(0, level_dbfs)) / FLOOR_DBFS;
  return `${(part * 100).toFixed(1)}%`;
}
