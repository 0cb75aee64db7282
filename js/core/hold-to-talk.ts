import { effect, signal, type ReadonlySignal } from "@preact/signals";
import type { RecorderPort } from "./ports";
import { pageClock, type Clock } from "./scope";

/** A press that lasts this long is a hold: letting go ends the recording. */
export const HOLD_MS = 400;

/**
 * One button or key with two ways to use it: press to start and press again to stop, or hold while talking.
 *
 * Letting go after a hold sends at once, unless the take comes with a warning: then the person decides.
 */
export class HoldToTalk {
  #pressed_ms: number | null = null;
  readonly #sending = signal(false);
  readonly #stopWatching: () => void;

  constructor(
    private readonly recorder: RecorderPort,
    private readonly send: (take: string) => void,
    private readonly clock: Clock = pageClock,
  ) {
    this.#stopWatching = effect(() => {
      const phase = recorder.phase.value;
      if (!this.#sending.peek()) return;
      if (phase.kind === "review" && phase.take.sentence === "") this.send(phase.take.take);
      else if (phase.kind !== "saving") this.#sending.value = false;
    });
  }

  /** A hold has ended and its take is on its way, without a question. */
  get sending(): ReadonlySignal<boolean> {
    return this.#sending;
  }

  get held(): boolean {
    return this.#pressed_ms !== null;
  }

  /** The button or key went down. True when that started a recording, so that the click that follows means nothing. */
  press(): boolean {
    const { kind } = this.recorder.phase.peek();
    if (this.held || (kind !== "idle" && kind !== "refused")) return false;
    this.#pressed_ms = this.clock.now_ms();
    this.recorder.start();
    return true;
  }

  /** It came up again. A short press leaves the recording running. */
  release(): void {
    const pressed_ms = this.#pressed_ms;
    this.#pressed_ms = null;
    if (pressed_ms === null || this.clock.now_ms() - pressed_ms < HOLD_MS) return;
    // While the browser still asks for permission nothing was said: the press then counts as a click.
    if (this.recorder.phase.peek().kind !== "recording") return;
    this.#sending.value = true;
    this.recorder.stop();
  }

  /** The hold was lost, not ended (focus left the page): stop, but let the person decide about sending. */
  lose(): void {
    if (!this.held) return;
    this.#pressed_ms = null;
    if (this.recorder.phase.peek().kind === "recording") this.recorder.stop();
  }

  /** A plain click, from a mouse or a screen reader. */
  toggle(): void {
    switch (this.recorder.phase.peek().kind) {
      case "recording":
        return this.recorder.stop();
      case "idle":
      case "refused":
        return this.recorder.start();
      default:
    }
  }

  /** Escape: throws away what is being said during a hold; a recording that was started by a click is only stopped. */
  escape(): void {
    const { held } = this;
    this.#pressed_ms = null;
    const { kind } = this.recorder.phase.peek();
    if (kind === "asking" || (held && kind === "recording")) this.recorder.discard();
    else if (kind === "recording") this.recorder.stop();
  }

  close(): void {
    this.#pressed_ms = null;
    this.#stopWatching();
  }
}
