/** A notebook's kernel as JupyterLab gives it to a plugin; what cellvoice says in it is answered at once. */

import type { AnyMessage, Comm, CommMessage, Kernel, KernelSession, Message, Signal } from "../lab/host";
import { isRecord } from "../rpc-messages";

type Data = Readonly<Record<string, unknown>>;

class Told<T> implements Signal<T> {
  readonly slots = new Set<(sender: unknown, told: T) => void>();

  connect(run: (sender: unknown, told: T) => void): boolean {
    this.slots.add(run);
    return true;
  }

  disconnect(run: (sender: unknown, told: T) => void): boolean {
    return this.slots.delete(run);
  }

  emit(told: T): void {
    for (const run of [...this.slots]) run(this, told);
  }
}

export class FakeKernel implements Kernel {
  status = "idle";
  readonly anyMessage = new Told<AnyMessage>();
  readonly statusChanged = new Told<string>();
  readonly asked: { readonly name: string; readonly data: Data }[] = [];
  readonly comms: Comm[] = [];
  /** How often it was asked which comms it has. */
  looked = 0;
  hasCellvoice = true;
  handleComms = true;
  deaf = false;
  #process = 1;
  #cells = 0;
  readonly #answer: (name: string, data: Data) => Data;

  constructor(answer: (name: string, data: Data) => Data) {
    this.#answer = answer;
  }

  requestCommInfo(): Promise<Message & { readonly content: unknown }> {
    this.looked += 1;
    const comms = this.hasCellvoice ? { abc: { target_name: "cellvoice.turns" } } : {};
    return Promise.resolve({ ...this.#message("comm_info_reply"), content: { status: "ok", comms } });
  }

  createComm(): Comm {
    if (!this.handleComms) throw new Error("Comms are disabled on this kernel connection");
    const comm: Comm = {
      onMsg: () => undefined,
      send: (content) => queueMicrotask(() => !this.deaf && isRecord(content) && this.#hear(comm, content)),
      dispose: () => undefined,
    };
    this.comms.push(comm);
    return comm;
  }

  /** Start a cell; the returned function ends it. */
  run(): () => void {
    const msg_id = `cell ${(this.#cells += 1)}`;
    const request = { header: { msg_id, msg_type: "execute_request", session: "page" }, parent_header: {} };
    this.anyMessage.emit({ direction: "send", msg: request });
    this.#become("busy");
    return () => {
      // The kernel says that it is idle before its reply is here.
      this.#become("idle");
      this.anyMessage.emit({ direction: "recv", msg: this.#message("execute_reply", msg_id) });
    };
  }

  /** As after any message that it has handled. */
  async idleAgain(): Promise<void> {
    const { status } = this;
    for (const next of ["busy", "idle", status]) this.#become(next);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  restartedElsewhere(): void {
    this.#process += 1;
    this.anyMessage.emit({ direction: "recv", msg: this.#message("status") });
  }

  #become(status: string): void {
    this.status = status;
    this.statusChanged.emit(status);
  }

  #message(msg_type: string, parent = ""): Message {
    const header = { msg_id: "m", msg_type, session: `process ${this.#process}` };
    return { header, parent_header: { msg_id: parent } };
  }

  #hear(comm: Comm, { kind, page, seq, id, name, data }: Data): void {
    const say = (content: Data): void =>
      comm.onMsg({ content: { data: { v: 1, page, ...content } } } satisfies CommMessage);
    if (kind === "hello") say({ kind: "welcome" });
    if (kind !== "request") return;
    say({ kind: "ack", seq });
    const asked = { name: String(name), data: isRecord(data) ? data : {} };
    this.asked.push(asked);
    try {
      say({ kind: "result", id, data: this.#answer(asked.name, asked.data) });
    } catch (error) {
      say({ kind: "error", id, data: { name: "UsageError", message: String(error) } });
    }
  }
}

export class FakeSession implements KernelSession {
  session: { readonly kernel: FakeKernel | null } | null = null;
  readonly kernelChanged = new Told<unknown>();
  readonly statusChanged = new Told<string>();
  #kernels: FakeKernel[] = [];

  get listeners(): number {
    const signals = [this.kernelChanged, this.statusChanged, ...this.#kernels.map((one) => one.anyMessage)];
    return signals.reduce((sum, { slots }) => sum + slots.size, 0);
  }

  start(kernel: FakeKernel | null): void {
    this.session = { kernel };
    if (kernel !== null) {
      this.#kernels.push(kernel);
      kernel.statusChanged.connect((_, status) => this.statusChanged.emit(status));
    }
    this.kernelChanged.emit(undefined);
  }

  restart(kernel: FakeKernel): void {
    for (const status of ["restarting", "starting", "idle"]) {
      kernel.status = status;
      this.statusChanged.emit(status);
    }
  }
}
