/** Ownership of everything that must be undone, and the one clock of the page. */

/** Time as the front end sees it; tests pass one that they turn by hand. */
export interface Clock {
  now_ms(): number;
  /** Run once after `delay_ms`; the returned function calls it off. */
  after(delay_ms: number, run: () => void): () => void;
}

export const pageClock: Clock = {
  now_ms: () => performance.now(),
  after(delay_ms, run) {
    const timer = setTimeout(run, delay_ms);
    return () => clearTimeout(timer);
  },
};

/** Owns things that must be undone: listeners, timers, microphone tracks, object URLs. */
export class Scope {
  #undo = new Set<() => void>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** How many things are still owned; tests count what is left. */
  get size(): number {
    return this.#undo.size;
  }

  /** Remember how to undo something; on a closed scope it is undone at once. Returns a way to undo it early. */
  add(undo: () => void): () => void {
    if (this.#closed) {
      undo();
      return () => undefined;
    }
    const once = (): void => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    return once;
  }

  listen(
    target: EventTarget,
    type: string,
    run: (event: Event) => void,
    options?: AddEventListenerOptions,
  ): () => void {
    if (this.#closed) return () => undefined;
    target.addEventListener(type, run, options);
    return this.add(() => target.removeEventListener(type, run, options));
  }

  /** A timer that dies with the scope. */
  after(delay_ms: number, run: () => void, clock: Clock = pageClock): () => void {
    if (this.#closed) return () => undefined;
    const forget = this.add(() => cancel());
    const cancel = clock.after(delay_ms, () => {
      forget();
      run();
    });
    return forget;
  }

  /** Repeat until the scope closes or the returned function is called. */
  every(period_ms: number, run: () => void, clock: Clock = pageClock): () => void {
    const mine = new Scope();
    const tick = (): void => {
      mine.after(period_ms, tick, clock);
      run();
    };
    mine.after(period_ms, tick, clock);
    return this.add(() => mine.close());
  }

  /** A scope inside this one: it closes with it, or earlier on its own. */
  child(): Scope {
    const inner = new Scope();
    inner.add(this.add(() => inner.close()));
    return inner;
  }

  /** Undo everything, newest first. One failure does not stop the rest. */
  close(): void {
    this.#closed = true;
    for (const undo of [...this.#undo].reverse()) {
      try {
        undo();
      } catch (error) {
        console.error("[cellvoice] clean-up failed", error);
      }
    }
  }
}
