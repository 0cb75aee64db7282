/** Any sound the browser knows, as samples at the service's rate. */

import { SERVICE_RATE_HZ, toPcm16 } from "./pcm";

/** Decodes a whole file to mono pcm16 at 24 kHz; rejects with the browser's own error when it cannot. */
export type DecodeSound = (bytes: ArrayBuffer) => Promise<Int16Array<ArrayBuffer>>;

export const decodeSound: DecodeSound = async (bytes) => {
  // An offline context needs no gesture, and it resamples what it decodes to its own rate.
  const context = new OfflineAudioContext(1, 1, SERVICE_RATE_HZ);
  // `decodeAudioData` takes the memory away from its caller.
  const sound = await context.decodeAudioData(bytes.slice(0));
  const mono = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel += 1) {
    const samples = sound.getChannelData(channel);
    for (let index = 0; index < mono.length; index += 1) {
      mono[index] = (mono[index] ?? 0) + (samples[index] ?? 0) / sound.numberOfChannels;
    }
  }
  return toPcm16(mono);
};
