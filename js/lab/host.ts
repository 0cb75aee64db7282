/** What is used of JupyterLab and Notebook 7. Their packages are not imported: 300 of npm for these few names. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";

export interface Signal<T> {
  connect(run: (sender: unknown, told: T) => void): boolean;
  disconnect(run: (sender: unknown, told: T) => void): boolean;
}

export interface Message {
  /** `session` is the sender's: of the kernel's messages, a name of its process. */
  readonly header: { readonly msg_id: string; readonly msg_type: string; readonly session: string };
  readonly parent_header: { readonly msg_id?: string };
}

export interface AnyMessage {
  readonly direction: "send" | "recv";
  readonly msg: Message;
}

export interface CommMessage {
  readonly content: { readonly data: unknown };
  readonly buffers?: unknown;
}

export interface Comm {
  onMsg: (message: CommMessage) => void;
  send(data: unknown, metadata?: unknown, buffers?: ArrayBufferView[]): unknown;
  dispose(): void;
}

export interface Kernel {
  readonly status: string;
  readonly anyMessage: Signal<AnyMessage>;
  requestCommInfo(content: {
    readonly target_name: string;
  }): Promise<Message & { readonly content: unknown }>;
  /** Throws where another connection of the page to this kernel has its comms. */
  createComm(target: string, id: string): Comm;
}

/** The kernel of a notebook, whichever it is at the moment. */
export interface KernelSession {
  readonly session: { readonly kernel: Kernel | null } | null;
  readonly kernelChanged: Signal<unknown>;
  readonly statusChanged: Signal<string>;
}

export interface NotebookPanel {
  readonly content: {
    readonly rendermime: { addFactory(factory: IRenderMime.IRendererFactory, rank: number): void };
  };
}

export interface Disposable {
  readonly isDisposed: boolean;
  dispose(): void;
}

export interface App {
  readonly docRegistry: {
    addWidgetExtension(
      widget: string,
      extension: {
        createNew(panel: NotebookPanel, context: { readonly sessionContext: KernelSession }): Disposable;
      },
    ): unknown;
  };
}
