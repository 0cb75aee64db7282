/** 16-bit samples and floats, the one place where they are converted. */

/** The service's fixed rate, for what it hears and what it says. */
export const SERVICE_RATE_HZ = 24_000;

/** Little-endian pcm16 to samples; an odd last byte is dropped. Copies, so that the message's memory can go. */
export function samplesFromBytes(view: DataView): Int16Array<ArrayBuffer> {
  const samples = new Int16Array(view.byteLength >> 1);
  for (let index = 0; index < samples.length; index += 1) samples[index] = view.getInt16(index * 2, true);
  return samples;
}

/** Floats −1…1 to 16 bit, rounded and clipped; what is no number becomes silence. */
export function toPcm16(samples: Float32Array): Int16Array<ArrayBuffer> {
  const out = new Int16Array(samples.length);
  for (let index = 0; index < samples.length; index += 1) {
    const scaled = Math.round((samples[index] ?? 0) * 32_768);
    out[index] = Math.max(-32_768, Math.min(32_767, scaled));
  }
  return out;
}

/** RMS in dBFS, −100 for silence. */
export function level_dbfs(samples: Float32Array): number {
  let power = 0;
  for (const sample of samples) power += sample * sample;
  const rms = Math.sqrt(power / Math.max(1, samples.length));
  return rms > 1e-5 ? 20 * Math.log10(rms) : -100;
}

export function peak(samples: Float32Array): number {
  let highest = 0;
  for (const sample of samples) highest = Math.max(highest, Math.abs(sample));
  return highest;
}

/**
 * Give the memory of samples back at once, where the browser can: an audio thread makes so little garbage that it is
 * collected only after hundreds of replies. Nobody may use them, or others of the same buffer, afterwards.
 */
export function free({ buffer }: Int16Array): void {
  (buffer as { transfer?(bytes: number): unknown }).transfer?.(0);
}

/** Join pieces into one array. */
export function joined(pieces: readonly Int16Array[]): Int16Array<ArrayBuffer> {
  const out = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
