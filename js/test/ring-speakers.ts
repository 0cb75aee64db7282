import type { FromPlayback, PlaybackOptions, ToPlayback } from "../audio/messages";
import { PlaybackRing } from "../audio/ring";
import type { Sink, Speakers } from "../audio/sink";

interface Open {
  readonly ring: PlaybackRing;
  readonly hear: (message: FromPlayback) => void;
}

/** Speakers without a browser: the real ring, rendered when a test asks for it. */
export class RingSpeakers implements Speakers {
  readonly heard: number[] = [];
  readonly #open = new Set<Open>();
  #wake: (() => void)[] = [];

  constructor(public running = true) {}

  get voices(): number {
    return this.#open.size;
  }

  resume(): Promise<void> {
    if (this.running) return Promise.resolve();
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** A click has let sound out. */
  allow(): void {
    this.running = true;
    for (const wake of this.#wake.splice(0)) wake();
  }

  open(options: PlaybackOptions, hear: (message: FromPlayback) => void): Promise<Sink> {
    const open = { ring: new PlaybackRing(options.source_rate_hz, 24_000, options.start_buffer_s), hear };
    this.#open.add(open);
    return Promise.resolve({
      send: (message: ToPlayback) => take(open.ring, message),
      close: () => void this.#open.delete(open),
    });
  }

  render(duration_s: number): void {
    for (let frames = duration_s * 24_000; frames > 0; frames -= 128) {
      for (const { ring, hear } of [...this.#open]) {
        const out = new Float32Array(128);
        const count = ring.render(out);
        if (count > 0) this.heard.push(...out.subarray(0, count));
        const { state, position_frames, rendered_frames, underruns, start_buffer_s } = ring;
        hear({ kind: "report", state, position_frames, rendered_frames, underruns, start_buffer_s });
      }
    }
  }
}

function take(ring: PlaybackRing, message: ToPlayback): void {
  switch (message.kind) {
    case "feed":
      ring.feed(message.start_frame, message.pcm);
      return;
    case "finish":
      ring.finish();
      return;
    case "play":
      ring.play();
      return;
    case "pause":
      ring.pause();
      return;
    case "seek":
      ring.seek(message.frame);
      return;
    case "speed":
      ring.setSpeed(message.speed);
      return;
    case "loop":
      ring.setLoop(message.loop);
      return;
    case "close":
      return;
    default:
      message satisfies never;
  }
}

/** Let promises settle that depend on nothing but each other. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
