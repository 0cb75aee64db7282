import type { ChannelModel, JsonObject } from "../rpc";
import { isRecord } from "../rpc-messages";
import type { Scope } from "../core/scope";
import type { HandClock } from "./hand-clock";

/** What a line does to a message: how late each copy arrives; an empty list is a loss. */
export type Line = () => readonly number[];

export const steady: Line = () => [5];

/** Numbers that look random and are the same in every run (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A line that loses, doubles and overtakes. */
export function rough(roll: () => number, loss: number, copies: number): Line {
  return () => {
    if (roll() < loss) return [];
    const first = 1 + roll() * 120;
    return roll() < copies ? [first, 1 + roll() * 120] : [first];
  };
}

export interface Heard {
  readonly kind: string;
  readonly name: string;
  readonly data: Record<string, unknown>;
  readonly buffers: readonly ArrayBufferView[];
  readonly id: string;
}

export type Reply =
  | { readonly kind: "result"; readonly data: JsonObject; readonly buffers?: readonly DataView[] }
  | { readonly kind: "error"; readonly data: { readonly name: string; readonly message: string } }
  | { readonly kind: "cancelled" };

/** The kernel's half of the contract in docs/architecture.md, on a clock turned by hand. */
export class ScriptedKernel implements ChannelModel {
  readonly sent: Record<string, unknown>[] = [];
  readonly heard: Heard[] = [];
  deaf = false;
  respond: (heard: Heard) => Reply | null = () => ({ kind: "result", data: {} });
  #handlers = new Set<(content: unknown, buffers: unknown) => void>();
  #log: { content: JsonObject; buffers: readonly DataView[] }[] = [];
  #acked = new Map<string, number>();

  constructor(
    readonly clock: HandClock,
    readonly toKernel: Line = steady,
    readonly toPage: Line = steady,
    readonly traits: Readonly<Record<string, unknown>> = {},
  ) {}

  get listeners(): number {
    return this.#handlers.size;
  }

  get(name: string): unknown {
    return this.traits[name];
  }

  on(_name: string, run: (content: unknown, buffers: unknown) => void): void {
    this.#handlers.add(run);
  }

  off(_name: string, run: (content: unknown, buffers: unknown) => void): void {
    this.#handlers.delete(run);
  }

  send(content: unknown, _callbacks?: unknown, buffers: ArrayBufferView[] = []): void {
    if (!isRecord(content)) throw new Error("only objects are sent");
    this.sent.push(content);
    for (const late_ms of this.toKernel()) this.clock.after(late_ms, () => this.#arrive(content, buffers));
  }

  /** Write an event into the log and send it to every page. */
  emit(name: string, data: JsonObject, buffers: readonly DataView[] = []): void {
    const content = { v: 1, kind: "event", seq: this.#log.length + 1, name, data };
    this.#log.push({ content, buffers });
    this.post(content, buffers);
  }

  /** Hand something to the page as it is, wrong or not. */
  post(content: unknown, buffers: readonly DataView[] = []): void {
    for (const late_ms of this.toPage()) {
      this.clock.after(late_ms, () => {
        for (const run of this.#handlers) run(content, buffers);
      });
    }
  }

  #arrive(content: Record<string, unknown>, buffers: readonly ArrayBufferView[]): void {
    if (this.deaf) return;
    const { kind, page } = content;
    if (kind === "hello") {
      this.post({ v: 1, kind: "welcome", page });
      this.#replay(Number(content["have"]) + 1);
    } else if (kind === "resend") {
      this.#replay(Number(content["from"]));
    } else {
      this.#numbered(content, String(page), buffers);
    }
  }

  #replay(from: number): void {
    for (const { content, buffers } of this.#log.slice(from - 1)) this.post(content, buffers);
  }

  #numbered(content: Record<string, unknown>, page: string, buffers: readonly ArrayBufferView[]): void {
    const acked = this.#acked.get(page) ?? 0;
    const isNext = content["seq"] === acked + 1;
    if (isNext) this.#acked.set(page, acked + 1);
    this.post({ v: 1, kind: "ack", page, seq: this.#acked.get(page) ?? 0 });
    if (!isNext) return;
    const data = content["data"];
    const heard: Heard = {
      kind: String(content["kind"]),
      name: String(content["name"]),
      data: isRecord(data) ? data : {},
      buffers,
      id: String(content["id"]),
    };
    this.heard.push(heard);
    if (heard.kind !== "request") return;
    const reply = this.respond(heard);
    if (reply === null) return;
    const answer = { v: 1, page, id: heard.id, ...reply, buffers: undefined };
    this.post(answer, reply.kind === "result" ? reply.buffers : []);
  }
}

/** Turn the clock until nothing is left to wait for, or for a minute. */
export function settle(clock: HandClock, done: () => boolean, scope?: Scope): void {
  for (let spent_ms = 0; spent_ms < 600_000 && !done() && scope?.closed !== true; spent_ms += 50)
    clock.advance(50);
}
