/** What the kernel may say, parsed from unknown. */

import type { Json } from "./core/settings";

export type { Json } from "./core/settings";
export interface JsonObject {
  readonly [key: string]: Json;
}

/** What a message carries; whoever uses a field parses it. */
export type KernelData = Readonly<Record<string, unknown>>;

export interface KernelEvent {
  readonly kind: "event";
  readonly seq: number;
  readonly name: string;
  readonly data: KernelData;
  readonly buffers: readonly DataView[];
}

/** Events that nobody needs any more: the numbers from `seq` to `upto` stand for nothing. */
export interface KernelGap {
  readonly kind: "gap";
  readonly seq: number;
  readonly upto: number;
}

export type FromKernel =
  | KernelEvent
  | KernelGap
  | { readonly kind: "welcome"; readonly page: string }
  /** The module that another page of this kernel asked for (`widgets/code.ts`). */
  | { readonly kind: "code" }
  | { readonly kind: "ack"; readonly page: string; readonly seq: number }
  | {
      readonly kind: "result";
      readonly page: string;
      readonly id: string;
      readonly data: KernelData;
      readonly buffers: readonly DataView[];
    }
  | {
      readonly kind: "error";
      readonly page: string;
      readonly id: string;
      readonly name: string;
      readonly message: string;
    }
  | { readonly kind: "cancelled"; readonly page: string; readonly id: string };

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Null for anything that is not a message of version 1. */
export function parseFromKernel(content: unknown, buffers: unknown): FromKernel | null {
  if (!isRecord(content) || content["v"] !== 1) return null;
  const { kind, page, seq, id, name } = content;
  if (kind === "event") {
    const data = content["data"];
    if (!isCount(seq) || typeof name !== "string" || !isRecord(data)) return null;
    return { kind, seq, name, data, buffers: views(buffers) };
  }
  if (kind === "gap") {
    const { upto } = content;
    return isCount(seq) && isCount(upto) && upto >= seq ? { kind, seq, upto } : null;
  }
  if (kind === "code") return { kind };
  if (typeof page !== "string") return null;
  if (kind === "welcome") return { kind, page };
  if (kind === "ack") return isCount(seq) ? { kind, page, seq } : null;
  if (typeof id !== "string") return null;
  if (kind === "cancelled") return { kind, page, id };
  const data = isRecord(content["data"]) ? content["data"] : {};
  if (kind === "result") return { kind, page, id, data, buffers: views(buffers) };
  if (kind === "error") {
    return {
      kind,
      page,
      id,
      name: text(data["name"], "Error"),
      message: text(data["message"], "the kernel gave no reason"),
    };
  }
  return null;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function text(value: unknown, otherwise: string): string {
  return typeof value === "string" && value !== "" ? value : otherwise;
}

/** JupyterLab hands over DataViews, other hosts ArrayBuffers or typed arrays. */
function views(buffers: unknown): readonly DataView[] {
  if (!Array.isArray(buffers)) return [];
  const list: readonly unknown[] = buffers;
  return list.flatMap((buffer) => {
    if (buffer instanceof DataView) return [buffer];
    if (ArrayBuffer.isView(buffer))
      return [new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)];
    if (buffer instanceof ArrayBuffer) return [new DataView(buffer)];
    return [];
  });
}
