import { effect } from "@preact/signals";
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
  #sendNext = false;
  readonly #stopWatching: () => void;

  constructor(
    private readonly recorder: RecorderPort,
    private readonly send: (take: string) => void,
    private readonly clock: Clock = pageClock,
  ) {
    this.#stopWatching = effect(() => {
      const phase = recorder.phase.value;
      if (phase.kind === "review" && this.#sendNext) {
        this.#sendNext = false;
        if (phase.take.sentence === "") this.send(phase.take.take);
      } else if (phase.kind === "idle" || phase.kind === "refused") {
        this.#sendNext = false;
      }
    });
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
    this.#sendNext = true;
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

  /** Throw away what is being recorded. */
  cancel(): void {
    this.#pressed_ms = null;
    const { kind } = this.recorder.phase.peek();
    if (kind === "recording" || kind === "asking") this.recorder.discard();
  }

  close(): void {
    this.#pressed_ms = null;
    this.#stopWatching();
  }
}
