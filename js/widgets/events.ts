/** The kernel's events, parsed. */

import { Part } from "../core/document";
import type { ToolCall, TraceSpan, TurnDetails } from "../core/details";
import { jsonOf, readToolCalls, readTrace, readWords } from "../core/parse-details";
import { parseTurn, readMarks } from "../core/parse-turn";
import type { PadState, Take } from "../core/ports";
import { readSettings, type Json } from "../core/settings";
import type { TurnCard, TurnMarks } from "../core/turn";
import { isRecord, type KernelData, type KernelEvent } from "../rpc-messages";

export type ListenPhase = "ready" | "late" | "closed";

export interface PlacedTurn {
  readonly turn: string;
  readonly marks: TurnMarks;
}

export type PageEvent =
  | { readonly name: "pad.state"; readonly state: PadState }
  /** The turns of the conversation as it is now, in order. */
  | { readonly name: "pad.turns"; readonly turns: readonly PlacedTurn[] }
  | { readonly name: "listen.state"; readonly phase: ListenPhase; readonly sentence: string }
  | { readonly name: "turn.started"; readonly turn: string; readonly card: TurnCard }
  /** To append: more of the text, and the times of words. */
  | ({ readonly name: "turn.text"; readonly turn: string; readonly text: string } & Pick<
      TurnDetails,
      "words" | "words_estimated"
    >)
  | {
      readonly name: "turn.audio";
      readonly turn: string;
      readonly start_frame: number;
      readonly sample_rate_hz: number;
      readonly pcm: DataView;
    }
  | { readonly name: "turn.progress"; readonly turn: string; readonly speech_s: number }
  | {
      readonly name: "turn.tools";
      readonly turn: string;
      readonly tool_calls: readonly ToolCall[];
      readonly trace: readonly TraceSpan[];
    }
  | { readonly name: "turn.partial"; readonly turn: string; readonly partial: Json }
  | { readonly name: "turn.notice"; readonly turn: string; readonly notice: string }
  | { readonly name: "turn.ended"; readonly turn: string; readonly card: TurnCard }
  | { readonly name: "take.ready"; readonly take: Take };

/** Throws when a known event is not as the contract says; null for an event this version does not know. */
export function parseEvent(event: KernelEvent): PageEvent | null {
  const { data } = event;
  switch (event.name) {
    case "pad.state":
      return { name: event.name, state: parsePadState(data) };
    case "pad.turns":
      return { name: event.name, turns: new Part(data, event.name).get("turns").list(parsePlaced) };
    case "listen.state":
      return { name: event.name, phase: listenPhase(data["phase"]), sentence: textOf(data, "sentence") };
    case "turn.started":
    case "turn.ended":
      return { name: event.name, turn: textOf(data, "turn"), card: parseTurn(data["card"]) };
    case "turn.text":
      return {
        name: event.name,
        turn: textOf(data, "turn"),
        text: textOf(data, "text"),
        ...readWords(new Part(data, event.name)),
      };
    case "turn.audio":
      return parseAudio(event);
    case "turn.progress":
      return { name: event.name, turn: textOf(data, "turn"), speech_s: sizeOf(data, "speech_s") };
    case "turn.tools": {
      const root = new Part(data, event.name);
      return {
        name: event.name,
        turn: textOf(data, "turn"),
        tool_calls: readToolCalls(root.get("tool_calls")),
        trace: readTrace(root.get("trace")),
      };
    }
    case "turn.partial":
      return {
        name: event.name,
        turn: textOf(data, "turn"),
        partial: jsonOf(new Part(data, event.name).get("partial")),
      };
    case "turn.notice":
      return { name: event.name, turn: textOf(data, "turn"), notice: textOf(data, "notice") };
    case "take.ready":
      return { name: event.name, take: parseTake(data) };
    default:
      return null;
  }
}

function parsePlaced(placed: Part): PlacedTurn {
  return { turn: placed.get("turn").text(), marks: readMarks(placed) };
}

function parseAudio(event: KernelEvent): PageEvent {
  const [pcm] = event.buffers;
  if (pcm === undefined) throw new TypeError("turn.audio came without its buffer of samples");
  const sample_rate_hz = sizeOf(event.data, "sample_rate_hz");
  if (sample_rate_hz < 3_000 || sample_rate_hz > 192_000) {
    throw new RangeError(`turn.audio has a sample rate of ${sample_rate_hz} Hz, expected 3,000 to 192,000`);
  }
  const start_frame = Math.round(sizeOf(event.data, "start_frame"));
  return { name: "turn.audio", turn: textOf(event.data, "turn"), start_frame, sample_rate_hz, pcm };
}

export function parseTake(data: KernelData): Take {
  const peaks = data["peaks"];
  const list: readonly unknown[] = Array.isArray(peaks) ? peaks : [];
  return {
    take: textOf(data, "take"),
    duration_s: sizeOf(data, "duration_s"),
    peaks: list.map((value) => (typeof value === "number" ? Math.max(0, Math.min(1, value)) : 0)),
    sentence: textOf(data, "sentence"),
  };
}

function parsePadState(data: KernelData): PadState {
  return {
    model: textOf(data, "model"),
    voice: textOf(data, "voice"),
    badge: textOf(data, "badge"),
    notice: textOf(data, "notice"),
    price: parsePrice(data["price"]),
    cost_usd: sizeOf(data, "cost_usd"),
    budget: parseBudget(data["budget"]),
    journal: textOf(data, "journal"),
    settings: readSettings(new Part(data["settings"], "settings")),
  };
}

/** A price that is left out is as unknown as null: no sum is better than a wrong one. */
function parsePrice(price: unknown): PadState["price"] {
  if (!isRecord(price)) return null;
  return {
    input_usd_per_s: sizeOf(price, "input_usd_per_s"),
    output_usd_per_s: sizeOf(price, "output_usd_per_s"),
    history_tokens: sizeOf(price, "history_tokens"),
    history_usd: sizeOf(price, "history_usd"),
  };
}

function parseBudget(budget: unknown): PadState["budget"] {
  if (!isRecord(budget)) return null;
  return { limit_usd: sizeOf(budget, "limit_usd"), left_usd: sizeOf(budget, "left_usd") };
}

function listenPhase(value: unknown): ListenPhase {
  if (value === "ready" || value === "late" || value === "closed") return value;
  throw new TypeError(`listen.state has the phase ${JSON.stringify(value)}, expected ready, late or closed`);
}

/** Null stands for "nothing to say" wherever the contract has a text. */
function textOf(data: KernelData, key: string): string {
  const value = data[key] ?? "";
  if (typeof value !== "string") throw new TypeError(`${key} is ${JSON.stringify(value)}, expected a text`);
  return value;
}

function sizeOf(data: KernelData, key: string): number {
  const value = data[key] ?? 0;
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
    throw new TypeError(`${key} is ${JSON.stringify(value)}, expected a number of 0 or more`);
  }
  return value;
}
