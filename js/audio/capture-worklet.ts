/** Runs the framer on the audio thread. */

import { Framer } from "./framer";
import type { FromCapture } from "./messages";

class CaptureProcessor extends AudioWorkletProcessor {
  #done = false;
  readonly #framer = new Framer(sampleRate, (message: FromCapture) => this.port.postMessage(message));

  constructor() {
    super();
    // `ToCapture` knows one message, stop.
    this.port.onmessage = () => {
      if (this.#done) return;
      this.#done = true;
      this.#framer.stop();
    };
  }

  process(inputs: Float32Array[][]): boolean {
    if (!this.#done) this.#framer.push(inputs[0] ?? []);
    return !this.#done;
  }
}

registerProcessor(CELLVOICE_PROCESSOR, CaptureProcessor);
