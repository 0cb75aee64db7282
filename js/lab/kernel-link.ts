/** What all frozen cards of a notebook share: a way to ask the kernel, while it has their turns. */

import { signal, type ReadonlySignal, type Signal as Value } from "@preact/signals";
import { Scope } from "../core/scope";
import { Channel, type ChannelModel } from "../rpc";
import { isRecord } from "../rpc-messages";
import { TurnAsks } from "../turn-asks";
import type { AnyMessage, Comm, CommMessage, Kernel, KernelSession, Signal } from "./host";

/** Noted in the kernel by `notebook/_frozen_cards.py`. */
const TARGET = "cellvoice.turns";
const NO_KERNEL_NOW = new Set(["restarting", "autorestarting", "terminating", "dead"]);

interface Followed {
  readonly turn: string;
  readonly asks: Value<TurnAsks | null>;
}

interface Line {
  /** Which process it leads to. */
  readonly process: string;
  readonly comm: Comm;
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
  #ofKernel = new Scope();
  /** Cells that this page runs, until their replies are here. */
  readonly #running = new Set<string>();
  /** Counts the kernels, and the restarts of one. */
  #era = 0;
  /** Whether something has happened since the kernel was asked last. */
  #news = false;
  #asking = false;

  constructor(host: KernelSession, scope: Scope) {
    this.#host = host;
    this.#scope = scope;
    hear(host.kernelChanged, scope, () => this.#meet());
    hear(host.statusChanged, scope, (status) => {
      if (NO_KERNEL_NOW.has(status)) this.#drop();
      else this.#askSoon();
    });
    scope.add(() => {
      const comm = this.#line?.comm;
      this.#drop();
      this.#ofKernel.close();
      comm?.dispose();
    });
    this.#meet();
  }

  /** The way to ask about a turn, until the scope closes; null while no kernel has the turn. */
  follow(turn: string, scope: Scope): ReadonlySignal<TurnAsks | null> {
    const followed: Followed = { turn, asks: signal(this.#asksOf(turn)) };
    this.#followed.add(followed);
    scope.add(() => this.#followed.delete(followed));
    if (followed.asks.peek() === null) this.#tell();
    return followed.asks;
  }

  #asksOf(turn: string): TurnAsks | null {
    const line = this.#line;
    if (line === null || !this.#known.has(turn)) return null;
    return new TurnAsks(turn, async (...asked) => {
      const answer = await line.channel.request(...asked);
      // The session may have been let go; the turn then is no more than what was saved of it.
      if (answer.kind === "error") {
        this.#known.delete(turn);
        this.#tell();
      }
      return answer;
    });
  }

  get #unknown(): readonly Followed[] {
    return [...this.#followed].filter(({ turn }) => !this.#known.has(turn));
  }

  /** Another kernel, or the first. */
  #meet(): void {
    this.#drop();
    this.#ofKernel.close();
    this.#ofKernel = new Scope();
    const kernel = this.#host.session?.kernel ?? null;
    if (kernel === null) return;
    hear(kernel.anyMessage, this.#ofKernel, (message) => this.#follow(message));
    this.#tell();
  }

  #follow({ direction, msg: { header, parent_header } }: AnyMessage): void {
    if (direction === "send") {
      if (header.msg_type === "execute_request") this.#running.add(header.msg_id);
      return;
    }
    // A restart by another page comes without a word.
    if (this.#line !== null && header.session !== this.#line.process) {
      this.#drop();
      this.#tell();
    }
    if (header.msg_type !== "execute_reply") return;
    this.#running.delete(parent_header.msg_id ?? "");
    // A cell may have brought turns back, as `Session.resume` does.
    this.#tell();
  }

  #tell(): void {
    this.#news = true;
    this.#askSoon();
  }

  /**
   * Cards are drawn many at a time, and ask together, when no cell runs: there is no hurry, and ipykernel 7.0 to 7.3
   * may hang when a message comes while it sends a cell's reply.
   */
  #askSoon(): void {
    if (!this.#news || this.#asking || this.#scope.closed || !this.#quiet || this.#unknown.length === 0)
      return;
    this.#asking = true;
    this.#scope.after(0, () => {
      this.#news = false;
      void this.#ask().finally(() => {
        this.#asking = false;
        this.#askSoon();
      });
    });
  }

  get #quiet(): boolean {
    return this.#host.session?.kernel?.status === "idle" && this.#running.size === 0;
  }

  async #ask(): Promise<void> {
    this.#line ??= await this.#open();
    const line = this.#line;
    const unknown = this.#unknown;
    if (line === null || unknown.length === 0) return;
    this.#news = false; // those that came meanwhile are among them
    const turns = [...new Set(unknown.map(({ turn }) => turn))];
    const answer = await line.channel.request("known", { turns });
    if (answer.kind !== "result" || line !== this.#line) return;
    const found: unknown = answer.data["turns"];
    for (const turn of Array.isArray(found) ? found : []) if (typeof turn === "string") this.#known.add(turn);
    for (const { turn, asks } of unknown)
      asks.value = this.#known.has(turn) ? (asks.peek() ?? this.#asksOf(turn)) : null;
  }

  /** Null where there is no kernel, or it has met no cellvoice: it tells which comms it has, so none is tried in vain. */
  async #open(): Promise<Line | null> {
    const kernel = this.#host.session?.kernel ?? null;
    if (kernel === null) return null;
    const era = this.#era;
    const found = await standingComm(kernel);
    if (found === null || era !== this.#era || this.#scope.closed) return null;
    const comm = commOf(kernel, found.id);
    if (comm === null) return null;
    const scope = this.#scope.child();
    return { process: found.process, comm, scope, channel: new Channel(modelOf(comm), scope) };
  }

  /** Open questions are answered as cancelled, and the cards show what was saved. Its comm goes with a kernel by itself. */
  #drop(): void {
    this.#era += 1;
    this.#known.clear();
    this.#running.clear();
    this.#line?.scope.close();
    this.#line = null;
    for (const { asks } of this.#followed) asks.value = null;
  }
}

function hear<T>(heard: Signal<T>, scope: Scope, run: (told: T) => void): void {
  const slot = (_sender: unknown, told: T): void => run(told);
  heard.connect(slot);
  scope.add(() => heard.disconnect(slot));
}

/** The comm that the kernel has for frozen cards, and which process that is. */
async function standingComm(kernel: Kernel): Promise<{ id: string; process: string } | null> {
  try {
    const { header, content } = await kernel.requestCommInfo({ target_name: TARGET });
    const comms = isRecord(content) && isRecord(content["comms"]) ? Object.keys(content["comms"]) : [];
    return comms[0] === undefined ? null : { id: comms[0], process: header.session };
  } catch {
    return null; // the kernel went away
  }
}

function commOf(kernel: Kernel, id: string): Comm | null {
  try {
    return kernel.createComm(TARGET, id);
  } catch {
    return null; // another notebook of this page has the kernel's comms, and the cards here stay as they were saved
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
