/** Renders a reply's samples on the audio thread and reports what was really rendered. */

import type { FromPlayback, PlaybackOptions, ToPlayback } from "./messages";
import { free } from "./pcm";
import { PlaybackRing } from "./ring";

const REPORT_S = 0.05;

class PlaybackProcessor extends AudioWorkletProcessor {
  readonly #ring: PlaybackRing;
  readonly #report_frames = Math.round(sampleRate * REPORT_S);
  #since_report = 0;
  #heard = false;
  #closed = false;
  #told = "";

  constructor(options: { processorOptions: unknown }) {
    super();
    const { source_rate_hz, start_buffer_s } = options.processorOptions as PlaybackOptions;
    this.#ring = new PlaybackRing(source_rate_hz, sampleRate, start_buffer_s);
    this.port.onmessage = (event: MessageEvent<ToPlayback>) => this.#take(event.data);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [first, ...others] = outputs[0] ?? [];
    if (first === undefined) return !this.#closed;
    const count = this.#ring.render(first);
    for (const channel of others) channel.set(first);
    if (!this.#heard && count > 0 && first.some((sample) => sample !== 0)) {
      this.#heard = true;
      this.#post({ kind: "first", at_ms: Date.now() });
    }
    this.#since_report += first.length;
    if (this.#ring.state !== this.#told || (count > 0 && this.#since_report >= this.#report_frames))
      this.#report();
    return !this.#closed;
  }

  #take(message: ToPlayback): void {
    switch (message.kind) {
      case "feed":
        this.#ring.feed(message.start_frame, message.pcm);
        return free(message.pcm);
      case "finish":
        return this.#ring.finish();
      case "play":
        return this.#ring.play();
      case "pause":
        return this.#ring.pause();
      case "seek":
        this.#ring.seek(message.frame);
        return this.#report();
      case "speed":
        return this.#ring.setSpeed(message.speed);
      case "loop":
        return this.#ring.setLoop(message.loop);
      case "close":
        this.#closed = true;
        return this.#ring.close();
      default:
        message satisfies never;
    }
  }

  #report(): void {
    const { state, position_frames, rendered_frames, underruns, start_buffer_s } = this.#ring;
    this.#since_report = 0;
    this.#told = state;
    this.#post({ kind: "report", state, position_frames, rendered_frames, underruns, start_buffer_s });
  }

  #post(message: FromPlayback): void {
    this.port.postMessage(message);
  }
}

registerProcessor(CELLVOICE_PROCESSOR, PlaybackProcessor);
