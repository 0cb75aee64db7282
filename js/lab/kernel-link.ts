/** What all frozen cards of a notebook share: a way to ask the kernel, while it has their turns. */

import { signal, type ReadonlySignal, type Signal as Value } from "@preact/signals";
import type { Scope } from "../core/scope";
import { Channel, type ChannelModel } from "../rpc";
import { isRecord } from "../rpc-messages";
import { TurnAsks } from "../turn-asks";
import type { Comm, CommMessage, Kernel, KernelSession, Message, Signal } from "./host";

/** Noted in the kernel by `notebook/_frozen_cards.py`. */
const TARGET = "cellvoice.turns";
const NO_KERNEL_NOW = new Set(["restarting", "autorestarting", "terminating", "dead"]);

interface Followed {
  readonly turn: string;
  readonly asks: Value<TurnAsks | null>;
}

interface Line {
  readonly channel: Channel;
  readonly scope: Scope;
}

export class KernelLink {
  readonly #host: KernelSession;
  readonly #scope: Scope;
  readonly #followed = new Set<Followed>();
  /** Turns that the kernel has. */
  readonly #known = new Set<string>();
  #line: Line | null = null;
  #asking = false;
  #askAgain = false;

  constructor(host: KernelSession, scope: Scope) {
    this.#host = host;
    this.#scope = scope;
    this.#hear(host.kernelChanged, () => {
      this.#drop();
      this.#askSoon();
    });
    this.#hear(host.statusChanged, (status) => {
      if (NO_KERNEL_NOW.has(status)) this.#drop();
    });
    this.#hear(host.iopubMessage, (message) => {
      // A cell may have brought turns back, as `Session.resume` does.
      if (isEndOfRun(message)) this.#askSoon();
    });
    scope.add(() => this.#drop());
  }

  /** The way to ask about a turn, until the scope closes; null while no kernel has the turn. */
  follow(turn: string, scope: Scope): ReadonlySignal<TurnAsks | null> {
    const followed: Followed = { turn, asks: signal(this.asksOf(turn)) };
    this.#followed.add(followed);
    scope.add(() => this.#followed.delete(followed));
    if (followed.asks.peek() === null) this.#askSoon();
    return followed.asks;
  }

  /** The way to ask about a turn now. */
  asksOf(turn: string): TurnAsks | null {
    const line = this.#line;
    if (line === null || !this.#known.has(turn)) return null;
    return new TurnAsks(turn, async (...asked) => {
      const answer = await line.channel.request(...asked);
      // The session may have been let go; the turn then is no more than what was saved of it.
      if (answer.kind === "error") {
        this.#known.delete(turn);
        this.#askSoon();
      }
      return answer;
    });
  }

  get #unknown(): readonly Followed[] {
    return [...this.#followed].filter(({ turn }) => !this.#known.has(turn));
  }

  /** Cards are drawn many at a time, and ask together. */
  #askSoon(): void {
    if (this.#scope.closed || this.#unknown.length === 0) return;
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    this.#askAgain = false;
    this.#scope.after(0, () => {
      void this.#ask().finally(() => {
        this.#asking = false;
        if (this.#askAgain) this.#askSoon();
      });
    });
  }

  async #ask(): Promise<void> {
    this.#line ??= await this.#open();
    const line = this.#line;
    const unknown = this.#unknown;
    if (line === null || unknown.length === 0) return;
    const turns = [...new Set(unknown.map(({ turn }) => turn))];
    const answer = await line.channel.request("known", { turns });
    if (answer.kind !== "result" || line !== this.#line) return;
    const found: unknown = answer.data["turns"];
    for (const turn of Array.isArray(found) ? found : []) if (typeof turn === "string") this.#known.add(turn);
    for (const { turn, asks } of unknown)
      asks.value = this.#known.has(turn) ? (asks.peek() ?? this.asksOf(turn)) : null;
  }

  /** Null where there is no kernel, or it has met no cellvoice: it tells which comms it has, so none is tried in vain. */
  async #open(): Promise<Line | null> {
    const kernel = this.#host.session?.kernel ?? null;
    if (kernel === null) return null;
    const comm = await commOf(kernel);
    if (comm === null) return null;
    // Meanwhile the kernel may be another one, or its notebook closed.
    if (this.#scope.closed || this.#host.session?.kernel !== kernel) {
      comm.dispose();
      return null;
    }
    const scope = this.#scope.child();
    scope.add(() => comm.dispose());
    return { scope, channel: new Channel(modelOf(comm), scope) };
  }

  /** Open questions are answered as cancelled, and the cards show what was saved. */
  #drop(): void {
    this.#known.clear();
    this.#line?.scope.close();
    this.#line = null;
    for (const { asks } of this.#followed) asks.value = null;
  }

  #hear<T>(heard: Signal<T>, run: (told: T) => void): void {
    const slot = (_sender: unknown, told: T): void => run(told);
    heard.connect(slot);
    this.#scope.add(() => heard.disconnect(slot));
  }
}

function isEndOfRun({ header, parent_header, content }: Message): boolean {
  return (
    header.msg_type === "status" &&
    parent_header.msg_type === "execute_request" &&
    isRecord(content) &&
    content["execution_state"] === "idle"
  );
}

/** The comm that the kernel has for frozen cards. */
async function commOf(kernel: Kernel): Promise<Comm | null> {
  try {
    const { content } = await kernel.requestCommInfo({ target_name: TARGET });
    const comms = isRecord(content) && isRecord(content["comms"]) ? Object.keys(content["comms"]) : [];
    const [id] = comms;
    return id === undefined ? null : kernel.createComm(TARGET, id);
  } catch {
    // The kernel went away, or another notebook of this page has its comms: the cards stay as they were saved.
    return null;
  }
}

/** A comm as the channel sees it. It is let go of and never closed: other pages use it, too. */
function modelOf(comm: Comm): ChannelModel {
  const listeners = new Set<(content: unknown, buffers: unknown) => void>();
  comm.onMsg = ({ content, buffers }: CommMessage) => {
    for (const run of listeners) run(content.data, buffers);
  };
  return {
    send: (content, _callbacks, buffers) => void comm.send(content, undefined, buffers),
    on: (_name, run) => void listeners.add(run),
    off: (_name, run) => void listeners.delete(run),
  };
}
