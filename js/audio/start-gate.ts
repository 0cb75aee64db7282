/**
 * Chromium lets a microphone's graph start with digital silence, and often with one hole after the first samples.
 * The gate holds the first moments back and lets through only what follows the last such hole.
 */

/** One render quantum without a single bit set: no real microphone gives that, a starved source does. */
const HOLE_FRAMES = 128;

export class StartGate {
  readonly #hold_frames: number;
  #held: Float32Array[] = [];
  #held_frames = 0;
  #open = false;
  discarded_frames = 0;

  /** `hold_s`: how long the start is watched, and so how much can be discarded at most. */
  constructor(rate_hz: number, hold_s = 0.3) {
    this.#hold_frames = Math.round(rate_hz * hold_s);
  }

  /** Samples that may go on; empty while the start is being watched. */
  push(piece: Float32Array): Float32Array {
    if (this.#open) return piece;
    this.#held.push(piece.slice());
    this.#held_frames += piece.length;
    return this.#held_frames >= this.#hold_frames ? this.flush() : new Float32Array(0);
  }

  /** Open now, with what was held back. */
  flush(): Float32Array {
    if (this.#open) return new Float32Array(0);
    this.#open = true;
    const all = new Float32Array(this.#held_frames);
    let at = 0;
    for (const piece of this.#held) {
      all.set(piece, at);
      at += piece.length;
    }
    this.#held = [];
    this.discarded_frames = endOfLastHole(all);
    return all.subarray(this.discarded_frames);
  }
}

/** Index after the last run of zeros that is as long as a hole, 0 when there is none. */
export function endOfLastHole(samples: Float32Array): number {
  let run = 0;
  let end = 0;
  for (let index = 0; index < samples.length; index += 1) {
    run = samples[index] === 0 ? run + 1 : 0;
    if (run >= HOLE_FRAMES) end = index + 1;
  }
  return end;
}
