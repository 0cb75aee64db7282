/** Speech at another speed with its pitch kept: overlapping pieces, each taken where it fits the one before (WSOLA). */

/** How far a piece may be moved to fit, and how long it is, at any rate. */
const REACH_S = 0.01;
const PIECE_S = 0.02;

/**
 * A source read at `speed`: output frame `k` sounds like source frame `k · speed`.
 *
 * Pieces of 20 ms fade into each other. Each begins within 10 ms of where it should, there where its waveform is most like
 * the natural continuation of the piece before: so periods of a voice are repeated or left out whole.
 */
export class Stretch {
  readonly #piece: number;
  readonly #reach: number;
  /** The last two pieces that were made, because a resampler looks back a little. */
  readonly #made: Array<{ readonly number: number; readonly frames: Float32Array }> = [];
  #next = 0;
  /** Source frame where the newest piece began. */
  #start = 0;

  constructor(
    readonly source: (frame: number) => number,
    readonly speed: number,
    rate_hz: number,
  ) {
    this.#piece = Math.round(rate_hz * PIECE_S);
    this.#reach = Math.round(rate_hz * REACH_S);
  }

  /** Output frame `k`; ask in rising order, at most one piece back. */
  at(k: number): number {
    if (k < 0) return 0;
    const number = Math.floor(k / this.#piece);
    while (this.#next <= number) this.#make();
    const piece = this.#made.find((made) => made.number === number);
    return piece?.frames[k - number * this.#piece] ?? 0;
  }

  /** How many output frames can be made of the first `known` source frames. */
  ready(known: number): number {
    const seen = known - this.#reach - 2 * this.#piece;
    return Math.max(0, Math.floor(seen / (this.#piece * this.speed)) + 1) * this.#piece;
  }

  #make(): void {
    const number = this.#next;
    const ideal = Math.round(number * this.#piece * this.speed);
    const from = this.#start + this.#piece;
    const start = number === 0 ? 0 : this.#bestNear(ideal, from);
    const frames = Float32Array.from({ length: this.#piece }, (_, index) => {
      const fade = number === 0 ? 1 : index / this.#piece;
      return (1 - fade) * this.source(from + index) + fade * this.source(start + index);
    });
    this.#made.push({ number, frames });
    if (this.#made.length > 2) this.#made.shift();
    this.#start = start;
    this.#next += 1;
  }

  /** The start near `ideal` whose waveform is most like the one at `from`; every fourth frame is enough to tell. */
  #bestNear(ideal: number, from: number): number {
    let best = Math.max(0, ideal);
    let best_likeness = -Infinity;
    for (let start = Math.max(0, ideal - this.#reach); start <= ideal + this.#reach; start += 2) {
      let product = 0;
      let energy = 1e-9;
      for (let index = 0; index < this.#piece; index += 4) {
        const sample = this.source(start + index);
        product += sample * this.source(from + index);
        energy += sample * sample;
      }
      const likeness = product / Math.sqrt(energy);
      if (likeness > best_likeness) {
        best_likeness = likeness;
        best = start;
      }
    }
    return best;
  }
}
