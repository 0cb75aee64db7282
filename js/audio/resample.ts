/** Linear-phase resampling by a windowed sinc, for devices that refuse the service's rate. */

const ZERO_CROSSINGS = 24;
/** Share of the band that passes; the rest is the filter's slope. */
const PASSBAND = 0.94;

/**
 * Reads a signal between its samples.
 *
 * Output sample n lies at source position n · from / to, so the places between two source samples repeat: the filter of
 * each is computed once and kept (2 of them from 48 kHz, 80 from 44.1 kHz).
 */
export class Interpolator {
  /** Source samples that are needed on each side of a position. */
  readonly radius: number;
  readonly #scale: number;
  /** The ratio in lowest terms: `#up` output samples for `#down` source samples. */
  readonly #up: number;
  readonly #down: number;
  readonly #filters = new Map<number, Float32Array>();

  constructor(from_hz: number, to_hz: number) {
    const common = greatestCommonDivisor(from_hz, to_hz);
    this.#up = to_hz / common;
    this.#down = from_hz / common;
    this.#scale = Math.min(1, to_hz / from_hz) * PASSBAND;
    this.radius = Math.ceil(ZERO_CROSSINGS / this.#scale) + 1;
  }

  /** The source sample at or before output sample `n`. */
  before(n: number): number {
    return Math.floor((n * this.#down) / this.#up);
  }

  /** How many output samples lie before source sample `index`. */
  count(index: number): number {
    return Math.max(0, Math.ceil((index * this.#up) / this.#down));
  }

  /** Output sample `n`; `at` gives source samples, 0 outside. */
  sample(at: (index: number) => number, n: number): number {
    const filter = this.#filter((n * this.#down) % this.#up);
    const first = this.before(n) - this.radius + 1;
    let sum = 0;
    for (let tap = 0; tap < filter.length; tap += 1) sum += (filter[tap] ?? 0) * at(first + tap);
    return sum;
  }

  #filter(phase: number): Float32Array {
    const known = this.#filters.get(phase);
    if (known !== undefined) return known;
    const made = Float32Array.from({ length: this.radius * 2 }, (_, tap) =>
      weight((tap - this.radius + 1 - phase / this.#up) * this.#scale),
    );
    // So that a constant stays a constant.
    const sum = made.reduce((total, value) => total + value, 0);
    const filter = made.map((value) => value / sum);
    this.#filters.set(phase, filter);
    return filter;
  }
}

/** The windowed sinc at a distance in zero crossings. */
function weight(at: number): number {
  const turn = Math.min(1, Math.abs(at) / ZERO_CROSSINGS);
  const blackman = 0.42 + 0.5 * Math.cos(Math.PI * turn) + 0.08 * Math.cos(2 * Math.PI * turn);
  return at === 0 ? 1 : (Math.sin(Math.PI * at) / (Math.PI * at)) * blackman;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Resamples a stream piece by piece; the pieces' borders leave no trace. */
export class StreamResampler {
  readonly #interpolator: Interpolator;
  #kept = new Float32Array(0);
  /** Number of the first kept source sample. */
  #kept_from = 0;
  #made = 0;

  constructor(from_hz: number, to_hz: number) {
    this.#interpolator = new Interpolator(from_hz, to_hz);
  }

  push(piece: Float32Array): Float32Array<ArrayBuffer> {
    const all = new Float32Array(this.#kept.length + piece.length);
    all.set(this.#kept);
    all.set(piece, this.#kept.length);
    this.#kept = all;
    return this.#make(this.#kept_from + all.length - this.#interpolator.radius);
  }

  /** The rest, as if silence followed. */
  flush(): Float32Array<ArrayBuffer> {
    return this.#make(this.#kept_from + this.#kept.length);
  }

  #make(before: number): Float32Array<ArrayBuffer> {
    const kept = this.#kept;
    const from = this.#kept_from;
    const at = (index: number): number => kept[index - from] ?? 0;
    const out = new Float32Array(Math.max(0, this.#interpolator.count(before) - this.#made));
    for (let index = 0; index < out.length; index += 1)
      out[index] = this.#interpolator.sample(at, this.#made + index);
    this.#made += out.length;
    const needed_from = this.#interpolator.before(this.#made) - this.#interpolator.radius;
    const drop = Math.min(kept.length, Math.max(0, needed_from - from));
    this.#kept = kept.slice(drop);
    this.#kept_from += drop;
    return out;
  }
}
