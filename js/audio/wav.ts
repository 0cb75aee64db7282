/** A sound as a WAV file. */

import type { Samples } from "../core/ports";

const HEADER_BYTES = 44;

export function wavOf({ pcm, sample_rate_hz }: Samples): Blob {
  const bytes = new DataView(new ArrayBuffer(HEADER_BYTES + pcm.length * 2));
  const name = (at: number, text: string): void =>
    new TextEncoder().encode(text).forEach((byte, index) => bytes.setUint8(at + index, byte));
  name(0, "RIFF");
  bytes.setUint32(4, bytes.byteLength - 8, true);
  name(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, sample_rate_hz, true);
  bytes.setUint32(28, sample_rate_hz * 2, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  name(36, "data");
  bytes.setUint32(40, pcm.length * 2, true);
  pcm.forEach((sample, index) => bytes.setInt16(HEADER_BYTES + index * 2, sample, true));
  return new Blob([bytes.buffer], { type: "audio/wav" });
}
