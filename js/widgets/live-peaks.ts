/** The waveform of a reply while it comes: one peak for each 50 ms, as the kernel's final card has them. */

import type { TurnSound } from "../core/turn";

const PEAKS_PER_S = 20;

export class LivePeaks {
  readonly #peaks: number[] = [];
  #frames = 0;

  /** Take in samples that begin at `start_frame`; a piece that comes again changes nothing. */
  add(start_frame: number, samples: Int16Array, sample_rate_hz: number): TurnSound {
    const frames_per_peak = sample_rate_hz / PEAKS_PER_S;
    for (let index = 0; index < samples.length; index += 1) {
      const place = Math.floor((start_frame + index) / frames_per_peak);
      const height = Math.abs(samples[index] ?? 0) / 32_768;
      if (height > (this.#peaks[place] ?? -1)) this.#peaks[place] = height;
    }
    this.#frames = Math.max(this.#frames, start_frame + samples.length);
    return {
      duration_s: this.#frames / sample_rate_hz,
      sample_rate_hz,
      // Array.from fills the places of pieces that are still on their way.
      peaks: Array.from(this.#peaks, (height: number | undefined) => height ?? 0),
      mime: "",
      href: null,
    };
  }
}
