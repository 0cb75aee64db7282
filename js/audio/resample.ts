/** Linear-phase resampling by a windowed sinc, for devices that refuse the service's rate. */

const ZERO_CROSSINGS = 24;
const STEPS_PER_CROSSING = 512;
/** Share of the band that passes; the rest is the filter's slope. */
const PASSBAND = 0.94;

/** The right half of the filter; it is symmetric. */
const HALF_FILTER = ((): Float32Array => {
  const table = new Float32Array(ZERO_CROSSINGS * STEPS_PER_CROSSING + 2);
  for (let index = 0; index < table.length; index += 1) {
    const at = index / STEPS_PER_CROSSING;
    const turn = Math.min(1, at / ZERO_CROSSINGS);
    const blackman = 0.42 + 0.5 * Math.cos(Math.PI * turn) + 0.08 * Math.cos(2 * Math.PI * turn);
    table[index] = at === 0 ? 1 : (Math.sin(Math.PI * at) / (Math.PI * at)) * blackman;
  }
  return table;
})();

/** Reads a signal between its samples. */
export class Interpolator {
  readonly #scale: number;
  /** Source samples that are needed on each side of a position. */
  readonly radius: number;

  constructor(from_hz: number, to_hz: number) {
    this.#scale = Math.min(1, to_hz / from_hz) * PASSBAND;
    this.radius = Math.ceil(ZERO_CROSSINGS / this.#scale);
  }

  /** The signal at `position` (in source samples); `at` gives single samples, 0 outside. */
  sample(at: (index: number) => number, position: number): number {
    const first = Math.ceil(position - this.radius);
    const last = Math.floor(position + this.radius);
    let sum = 0;
    let weights = 0;
    for (let index = first; index <= last; index += 1) {
      const place = Math.abs(position - index) * this.#scale * STEPS_PER_CROSSING;
      const whole = Math.floor(place);
      const low = HALF_FILTER[whole] ?? 0;
      const weight = low + ((HALF_FILTER[whole + 1] ?? 0) - low) * (place - whole);
      sum += weight * at(index);
      weights += weight;
    }
    return sum / weights;
  }
}

/** Resamples a stream piece by piece; the pieces' borders leave no trace. */
export class StreamResampler {
  readonly #ratio: number;
  readonly #interpolator: Interpolator;
  #kept = new Float32Array(0);
  /** Number of the first kept source sample. */
  #kept_from = 0;
  #made = 0;

  constructor(from_hz: number, to_hz: number) {
    this.#ratio = from_hz / to_hz;
    this.#interpolator = new Interpolator(from_hz, to_hz);
  }

  push(piece: Float32Array): Float32Array<ArrayBuffer> {
    const all = new Float32Array(this.#kept.length + piece.length);
    all.set(this.#kept);
    all.set(piece, this.#kept.length);
    this.#kept = all;
    const end = this.#kept_from + all.length;
    return this.#make(end - this.#interpolator.radius);
  }

  /** The rest, as if silence followed. */
  flush(): Float32Array<ArrayBuffer> {
    return this.#make(this.#kept_from + this.#kept.length);
  }

  #make(before: number): Float32Array<ArrayBuffer> {
    const at = (index: number): number => this.#kept[index - this.#kept_from] ?? 0;
    const count = Math.max(0, Math.ceil(before / this.#ratio) - this.#made);
    const out = new Float32Array(count);
    for (let index = 0; index < count; index += 1) {
      out[index] = this.#interpolator.sample(at, (this.#made + index) * this.#ratio);
    }
    this.#made += count;
    const needed_from = Math.floor(this.#made * this.#ratio) - this.#interpolator.radius - 1;
    const drop = Math.min(this.#kept.length, Math.max(0, needed_from - this.#kept_from));
    this.#kept = this.#kept.slice(drop);
    this.#kept_from += drop;
    return out;
  }
}
