/** What the capture worklet does, without a browser: any number of channels at any rate to 50 ms of pcm16 at 24 kHz. */

import type { FromCapture } from "./messages";
import { level_dbfs, peak, SERVICE_RATE_HZ, toPcm16 } from "./pcm";
import { StreamResampler } from "./resample";
import { StartGate } from "./start-gate";

const FRAME_SAMPLES = SERVICE_RATE_HZ / 20;
/** At or above this a converter has run out of numbers. */
const CLIP = 0.999;

export class Framer {
  readonly #gate: StartGate;
  readonly #resampler: StreamResampler | null;
  readonly #post: (message: FromCapture) => void;
  #pending = new Float32Array(FRAME_SAMPLES);
  #filled = 0;
  #sent = 0;

  constructor(device_rate_hz: number, post: (message: FromCapture) => void) {
    this.#gate = new StartGate(device_rate_hz);
    this.#resampler =
      device_rate_hz === SERVICE_RATE_HZ ? null : new StreamResampler(device_rate_hz, SERVICE_RATE_HZ);
    this.#post = post;
  }

  /** One render quantum of the microphone. */
  push(channels: readonly Float32Array[]): void {
    this.#collect(this.#resampled(this.#gate.push(mixed(channels))));
  }

  /** Send the rest and say how much there was. */
  stop(): void {
    this.#collect(this.#resampled(this.#gate.flush()));
    if (this.#resampler !== null) this.#collect(this.#resampler.flush());
    if (this.#filled > 0) this.#send(this.#pending.subarray(0, this.#filled));
    this.#post({ kind: "done", frames: this.#sent, discarded_frames: this.#gate.discarded_frames });
  }

  #resampled(samples: Float32Array): Float32Array {
    return this.#resampler === null ? samples : this.#resampler.push(samples);
  }

  #collect(samples: Float32Array): void {
    let at = 0;
    while (at < samples.length) {
      const part = samples.subarray(at, at + FRAME_SAMPLES - this.#filled);
      this.#pending.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === FRAME_SAMPLES) this.#send(this.#pending);
    }
  }

  #send(samples: Float32Array): void {
    const pcm = toPcm16(samples);
    const highest = peak(samples);
    this.#post({
      kind: "frames",
      start_frame: this.#sent,
      pcm,
      level_dbfs: level_dbfs(samples),
      peak: highest,
      clipped: highest >= CLIP,
    });
    this.#sent += samples.length;
    this.#filled = 0;
  }
}

function mixed(channels: readonly Float32Array[]): Float32Array {
  const [first, ...others] = channels;
  if (first === undefined) return new Float32Array(0);
  if (others.length === 0) return first;
  return first.map(
    (sample, index) => others.reduce((sum, channel) => sum + (channel[index] ?? 0), sample) / channels.length,
  );
}
