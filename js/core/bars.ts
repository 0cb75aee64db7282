/** The arithmetic of a waveform drawn as bars. */

const BAR_PITCH_PX = 4;

/** How high the bars are where sound has arrived whose peaks are not known. */
const UNKNOWN: readonly number[] = [0.06];

export interface Bars {
  /** SVG path data of the bars that have arrived. */
  readonly heard: string;
  /** Dots where sound is still to come. */
  readonly ahead: string;
}

/**
 * Bars over `axis_s` seconds in a box of `width_px` × `height_px`, for peaks 0…1 that cover the first `covers_s` seconds.
 * Each bar is a vertical stroke with round ends: silence is a dot.
 */
export function bars(
  peaks: readonly number[],
  covers_s: number,
  axis_s: number,
  width_px: number,
  height_px: number,
): Bars {
  const total = Math.max(1, Math.floor(width_px / BAR_PITCH_PX));
  const known = peaks.length > 0 ? peaks : UNKNOWN;
  const middle_px = height_px / 2;
  const arrived = axis_s > 0 ? Math.min(1, covers_s / axis_s) : 1;
  let heard = "";
  let ahead = "";
  for (let bar = 0; bar < total; bar += 1) {
    const x_px = Math.round((bar + 0.5) * BAR_PITCH_PX);
    const from = bar / total;
    if (from >= arrived || covers_s === 0) {
      ahead += `M${x_px} ${middle_px}v0`;
      continue;
    }
    const scale = known.length / arrived;
    const half_px = Math.max(
      0,
      height(loudest(known, from * scale, (from + 1 / total) * scale)) * (middle_px - 1.5),
    );
    const top_px = Math.round((middle_px - half_px) * 10) / 10;
    heard += `M${x_px} ${top_px}v${Math.round(half_px * 20) / 10}`;
  }
  return { heard, ahead };
}

/** Loudness is heard by ratio: a gentle curve keeps quiet speech in sight and loud speech inside the box. */
function height(peak: number): number {
  return Math.pow(Math.min(1, Math.max(0, peak)), 0.65);
}

/** The highest peak of a span; with fewer peaks than bars, a value between the two nearest ones. */
function loudest(peaks: readonly number[], from: number, to: number): number {
  if (to - from < 1) {
    const at = Math.min(peaks.length - 1, Math.max(0, (from + to) / 2 - 0.5));
    const left = Math.floor(at);
    const low = peaks[left] ?? 0;
    return low + ((peaks[left + 1] ?? low) - low) * (at - left);
  }
  let highest = 0;
  const end = Math.min(peaks.length, Math.ceil(to));
  for (let index = Math.floor(from); index < end; index += 1) highest = Math.max(highest, peaks[index] ?? 0);
  return highest;
}

/**
 * Seconds that a growing sound is drawn over: 4, 8, 16, …
 * A step at each doubling, because a scale that moved with every message would make every bar shiver.
 */
export function growingAxis_s(arrived_s: number): number {
  let axis_s = 4;
  while (axis_s < arrived_s) axis_s *= 2;
  return axis_s;
}
