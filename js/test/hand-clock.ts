import type { Clock } from "../core/scope";

interface Timer {
  readonly due_ms: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until a test turns it. */
export class HandClock implements Clock {
  #now_ms = 0;
  #order = 0;
  #timers = new Set<Timer>();

  get waiting(): number {
    return this.#timers.size;
  }

  now_ms(): number {
    return this.#now_ms;
  }

  after(delay_ms: number, run: () => void): () => void {
    const timer = { due_ms: this.#now_ms + delay_ms, order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(span_ms: number): void {
    const end_ms = this.#now_ms + span_ms;
    for (;;) {
      const [next] = [...this.#timers]
        .filter((timer) => timer.due_ms <= end_ms)
        .sort((a, b) => a.due_ms - b.due_ms || a.order - b.order);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now_ms = next.due_ms;
      next.run();
    }
    this.#now_ms = end_ms;
  }
}
