/** Sound as a picture of its frequencies over time. */

import type { Samples } from "./ports";

/** 512 samples are 21 ms of the service's sound: short enough for a syllable, long enough for the pitch of a voice. */
const FRAME = 512;
/** How far below the loudest something may be and still be seen. */
const RANGE_DB = 70;

export interface Spectrogram {
  readonly columns: number;
  readonly rows: number;
  /** 0…1 for each place, column after column, from the lowest frequency up. */
  readonly cells: Float32Array;
  readonly top_hz: number;
  readonly duration_s: number;
}

/** At most `most_columns` spectra of up to 256 rows, spread evenly over the sound. */
export function spectrogramOf({ pcm, sample_rate_hz }: Samples, most_columns: number): Spectrogram {
  const rows = FRAME / 2;
  const columns = Math.max(1, Math.min(most_columns, Math.floor(pcm.length / (FRAME / 4))));
  const step = Math.max(0, pcm.length - FRAME) / Math.max(1, columns - 1);
  const decibels = new Float32Array(columns * rows);
  const real = new Float32Array(FRAME);
  const imaginary = new Float32Array(FRAME);
  let loudest = -Infinity;
  for (let column = 0; column < columns; column += 1) {
    const from = Math.round(column * step);
    for (let index = 0; index < FRAME; index += 1)
      real[index] = (pcm[from + index] ?? 0) * (WINDOW[index] ?? 0);
    imaginary.fill(0);
    transform(real, imaginary);
    for (let row = 0; row < rows; row += 1) {
      const power = (real[row] ?? 0) ** 2 + (imaginary[row] ?? 0) ** 2;
      const level = 10 * Math.log10(power + 1e-9);
      decibels[column * rows + row] = level;
      loudest = Math.max(loudest, level);
    }
  }
  const cells = decibels.map((level) => Math.max(0, 1 - (loudest - level) / RANGE_DB));
  return { columns, rows, cells, top_hz: sample_rate_hz / 2, duration_s: pcm.length / sample_rate_hz };
}

const WINDOW = Float32Array.from(
  { length: FRAME },
  (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / FRAME),
);

/** The fast Fourier transform, in place (radix 2). */
export function transform(real: Float32Array, imaginary: Float32Array): void {
  const size = real.length;
  for (let index = 1, mirror = 0; index < size; index += 1) {
    let bit = size >> 1;
    for (; mirror & bit; bit >>= 1) mirror ^= bit;
    mirror ^= bit;
    if (index < mirror) {
      swap(real, index, mirror);
      swap(imaginary, index, mirror);
    }
  }
  for (let width = 2; width <= size; width *= 2)
    for (let start = 0; start < size; start += width) butterflies(real, imaginary, start, width);
}

function butterflies(real: Float32Array, imaginary: Float32Array, start: number, width: number): void {
  const half = width / 2;
  for (let index = 0; index < half; index += 1) {
    const angle = (-2 * Math.PI * index) / width;
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    const low = start + index;
    const high = low + half;
    const [a, b, c, d] = [real[low] ?? 0, imaginary[low] ?? 0, real[high] ?? 0, imaginary[high] ?? 0];
    const [turned, turned_i] = [c * cos - d * sin, c * sin + d * cos];
    real[low] = a + turned;
    imaginary[low] = b + turned_i;
    real[high] = a - turned;
    imaginary[high] = b - turned_i;
  }
}

function swap(list: Float32Array, one: number, other: number): void {
  const kept = list[one] ?? 0;
  list[one] = list[other] ?? 0;
  list[other] = kept;
}
