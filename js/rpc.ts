/**
 * The page's end of the channel to the kernel (docs/architecture.md): numbered both ways, because bursts can vanish.
 *
 * The kernel's events are a log: a hole is asked for again. What the page sends waits until it is acknowledged, at
 * most `WINDOW` at a time, and is sent again from the oldest when nothing moves.
 */

import { signal, type ReadonlySignal } from "@preact/signals";
import { pageClock, type Clock, type Scope } from "./core/scope";
import type { LinkPhase } from "./core/ports";
import {
  parseFromKernel,
  type FromKernel,
  type JsonObject,
  type KernelData,
  type KernelEvent,
  type KernelGap,
} from "./rpc-messages";

export type { JsonObject, KernelData, KernelEvent } from "./rpc-messages";

/** What the channel needs of an anywidget model. */
export interface ChannelModel {
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBufferView[]): void;
  on(name: "msg:custom", run: (content: unknown, buffers: unknown) => void): void;
  off(name: "msg:custom", run: (content: unknown, buffers: unknown) => void): void;
}

/** Every request gets exactly one of these. */
export type Answer =
  | { readonly kind: "result"; readonly data: KernelData; readonly buffers: readonly DataView[] }
  | { readonly kind: "error"; readonly name: string; readonly message: string }
  | { readonly kind: "cancelled" };

export interface ChannelOptions {
  readonly clock?: Clock;
  /** This page's id; random by default. */
  readonly page?: string;
  /** Whether an event should come soon: then a lost last event is asked for again. */
  readonly expecting?: () => boolean;
  /** Whether our JupyterLab renderer is on this page; the kernel then keeps the pad out of the saved notebook's widgets. */
  readonly lab?: boolean;
}

const HELLO_MS = 250;
/** A kernel without subshells queues every hello until its cell ends, so an unanswered page slows down. */
const SLOW_HELLO_MS = 2_000;
const QUICK_HELLOS = 40;
const WINDOW = 32;
const RETRY_MS = 500;
const MAX_RETRY_MS = 8_000;
const SILENT_MS = 3_000;
const PROBE_MS = 2_000;
const MAX_PROBE_MS = 30_000;
const MAX_EARLY = 512;

interface Outgoing {
  readonly seq: number;
  readonly content: JsonObject;
  readonly buffers: ArrayBufferView[];
}

export class Channel {
  readonly page: string;
  readonly #model: ChannelModel;
  readonly #scope: Scope;
  readonly #clock: Clock;
  readonly #expecting: () => boolean;
  readonly #lab: boolean;
  readonly #link = signal<LinkPhase>("connecting");
  readonly #listeners = new Set<(event: KernelEvent) => void>();
  readonly #requests = new Map<string, (answer: Answer) => void>();
  #welcomed = false;
  #hellos = 0;
  #have = 0;
  /** Events that overtook a hole, until it is filled. */
  readonly #early = new Map<number, KernelEvent | KernelGap>();
  #asked_ms = -Infinity;
  #asked_from = 0;
  #probe_ms = PROBE_MS;
  #queue: Outgoing[] = [];
  #in_flight = 0;
  #next_seq = 1;
  #retry_ms = RETRY_MS;
  #stopRetry: () => void = () => undefined;
  #stopSilence: (() => void) | null = null;

  constructor(model: ChannelModel, scope: Scope, options: ChannelOptions = {}) {
    this.#model = model;
    this.#scope = scope;
    this.#clock = options.clock ?? pageClock;
    this.#expecting = options.expecting ?? (() => false);
    this.#lab = options.lab ?? false;
    this.page = options.page ?? randomId();
    const receive = (content: unknown, buffers: unknown): void => this.#receive(content, buffers);
    model.on("msg:custom", receive);
    scope.add(() => model.off("msg:custom", receive));
    scope.add(() => this.#cancelAll());
    this.#hello();
    this.#probeLater();
  }

  get link(): ReadonlySignal<LinkPhase> {
    return this.#link;
  }

  /** The number of the last event of the kernel that was handed on. */
  get have(): number {
    return this.#have;
  }

  /** Messages that the kernel has not confirmed yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Hear every event of the kernel once and in order, from the first. */
  onEvent(run: (event: KernelEvent) => void): () => void {
    this.#listeners.add(run);
    return this.#scope.add(() => this.#listeners.delete(run));
  }

  /** Tell the kernel something; it is kept and repeated until the kernel has it. */
  emit(name: string, data: JsonObject, buffers: ArrayBufferView[] = []): void {
    this.#enqueue({ kind: "event", name, data }, buffers);
  }

  /** Ask the kernel something. The promise never rejects; closing the scope answers `cancelled`. */
  request(name: string, data: JsonObject, buffers: ArrayBufferView[] = []): Promise<Answer> {
    if (this.#scope.closed) return Promise.resolve({ kind: "cancelled" });
    return new Promise((resolve) => {
      const id = `${this.page}.${this.#next_seq}`;
      this.#requests.set(id, resolve);
      this.#enqueue({ kind: "request", id, name, data }, buffers);
    });
  }

  #cancelAll(): void {
    const open = [...this.#requests.values()];
    this.#requests.clear();
    this.#queue = [];
    for (const resolve of open) resolve({ kind: "cancelled" });
  }

  #hello(): void {
    if (this.#welcomed) return;
    this.#post({ v: 1, kind: "hello", page: this.page, have: this.#have, lab: this.#lab }, []);
    this.#hellos += 1;
    const pause_ms = this.#hellos < QUICK_HELLOS ? HELLO_MS : SLOW_HELLO_MS;
    this.#scope.after(pause_ms, () => this.#hello(), this.#clock);
  }

  /** The last event of a turn has no successor that would show its loss, so ask while something is expected. */
  #probeLater(): void {
    this.#scope.after(
      this.#probe_ms,
      () => {
        if (this.#welcomed && (this.#expecting() || this.#requests.size > 0)) {
          this.#askAgain(this.#probe_ms);
          this.#probe_ms = Math.min(this.#probe_ms * 2, MAX_PROBE_MS);
        } else {
          this.#probe_ms = PROBE_MS;
        }
        this.#probeLater();
      },
      this.#clock,
    );
  }

  #askAgain(pause_ms: number): void {
    const from = this.#have + 1;
    const now_ms = this.#clock.now_ms();
    if (from === this.#asked_from && now_ms - this.#asked_ms < pause_ms) return;
    this.#asked_from = from;
    this.#asked_ms = now_ms;
    this.#post({ v: 1, kind: "resend", page: this.page, from }, []);
  }

  #receive(content: unknown, buffers: unknown): void {
    if (this.#scope.closed) return;
    const message = parseFromKernel(content, buffers);
    if (message === null) {
      console.warn("[cellvoice] a message of the kernel was not understood and is ignored", content);
      return;
    }
    if (message.kind === "code") return;
    if (message.kind !== "event" && message.kind !== "gap" && message.page !== this.page) return;
    this.#take(message);
  }

  #take(message: Exclude<FromKernel, { kind: "code" }>): void {
    switch (message.kind) {
      case "welcome":
        this.#welcome();
        return;
      case "event":
      case "gap":
        this.#numbered(message);
        return;
      case "ack":
        this.#ack(message.seq);
        return;
      case "result":
        this.#answer(message.id, { kind: "result", data: message.data, buffers: message.buffers });
        return;
      case "error":
        this.#answer(message.id, { kind: "error", name: message.name, message: message.message });
        return;
      case "cancelled":
        this.#answer(message.id, { kind: "cancelled" });
        return;
      default:
        message satisfies never;
    }
  }

  #welcome(): void {
    if (this.#welcomed) return;
    this.#welcomed = true;
    this.#link.value = "open";
    this.#stopSilence?.();
    this.#stopSilence = null;
    if (this.#queue.length > 0) this.#watchSilence();
    this.#pump();
  }

  #numbered(event: KernelEvent | KernelGap): void {
    if (lastOf(event) <= this.#have) return;
    if (event.seq > this.#have + 1) {
      if (this.#early.size < MAX_EARLY) this.#early.set(event.seq, event);
      // Another page's events pass by before this one's own replay has begun; they are no hole.
      if (this.#welcomed) this.#askAgain(RETRY_MS);
      return;
    }
    for (
      let next: KernelEvent | KernelGap | undefined = event;
      next !== undefined;
      next = this.#early.get(this.#have + 1)
    ) {
      this.#early.delete(next.seq);
      this.#have = lastOf(next);
      if (next.kind === "event") this.#hand(next);
    }
    // A gap may cover what came early, too.
    for (const [seq, early] of this.#early) if (lastOf(early) <= this.#have) this.#early.delete(seq);
    this.#probe_ms = PROBE_MS;
  }

  #hand(event: KernelEvent): void {
    for (const run of this.#listeners) {
      try {
        run(event);
      } catch (error) {
        console.error(`[cellvoice] handling ${event.name} failed`, error);
      }
    }
  }

  #answer(id: string, answer: Answer): void {
    const resolve = this.#requests.get(id);
    this.#requests.delete(id);
    resolve?.(answer);
  }

  #enqueue(content: JsonObject, buffers: ArrayBufferView[]): void {
    if (this.#scope.closed) return;
    const seq = this.#next_seq++;
    this.#queue.push({ seq, content: { v: 1, page: this.page, seq, ...content }, buffers });
    this.#watchSilence();
    this.#pump();
  }

  #pump(): void {
    if (!this.#welcomed) return;
    const idle = this.#in_flight === 0;
    while (this.#in_flight < Math.min(WINDOW, this.#queue.length)) {
      const next = this.#queue[this.#in_flight];
      if (next === undefined) break;
      this.#in_flight += 1;
      this.#post(next.content, next.buffers);
    }
    if (idle && this.#in_flight > 0) this.#retryLater();
  }

  #ack(seq: number): void {
    const first = this.#queue[0];
    if (first === undefined || seq < first.seq || seq >= first.seq + this.#in_flight) return;
    const confirmed = seq - first.seq + 1;
    this.#queue.splice(0, confirmed);
    this.#in_flight -= confirmed;
    this.#retry_ms = RETRY_MS;
    this.#link.value = "open";
    this.#stopSilence?.();
    this.#stopSilence = null;
    this.#stopRetry();
    if (this.#queue.length > 0) this.#watchSilence();
    if (this.#in_flight > 0) this.#retryLater();
    this.#pump();
  }

  #retryLater(): void {
    this.#stopRetry();
    this.#stopRetry = this.#scope.after(this.#retry_ms, () => this.#retry(), this.#clock);
  }

  /** Go back to the oldest. A kernel that stays silent is only knocked at: it may be busy and keep all in its queue. */
  #retry(): void {
    const again = this.#retry_ms === RETRY_MS ? this.#in_flight : 1;
    for (const message of this.#queue.slice(0, again)) this.#post(message.content, message.buffers);
    this.#retry_ms = Math.min(this.#retry_ms * 2, MAX_RETRY_MS);
    if (this.#in_flight > 0) this.#retryLater();
  }

  #watchSilence(): void {
    this.#stopSilence ??= this.#scope.after(
      SILENT_MS,
      () => {
        if (this.#welcomed) this.#link.value = "silent";
      },
      this.#clock,
    );
  }

  #post(content: JsonObject, buffers: ArrayBufferView[]): void {
    try {
      this.#model.send(content, undefined, buffers);
    } catch (error) {
      // A closed comm throws; the retry tells the user by the link's phase when it stays closed.
      console.warn("[cellvoice] a message could not be handed to the kernel's channel", error);
    }
  }
}

function lastOf(message: KernelEvent | KernelGap): number {
  return message.kind === "gap" ? message.upto : message.seq;
}

/** `crypto.randomUUID` is missing on insecure pages, where typing and uploads still work. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
