/** What came over the wire for a turn, as the kernel tells it, and what of it is said in a line. */

import { size, text, type Part } from "./document";
import type { Json } from "./settings";

/** One event: the text of a `data:` line, or a whole body. Sound is named in it, never there. */
export interface RawEvent {
  /** Since the turn's first request was sent. */
  readonly at_s: number;
  /** Which of the turn's requests it answers, from 1. */
  readonly round: number;
  /** The HTTP status of a refusal. */
  readonly status: number | null;
  readonly size_bytes: number;
  readonly text: string;
}

export interface RawEvents {
  readonly events: readonly RawEvent[];
  /** How many were not kept, and the index before which they were. */
  readonly left_out: number;
  readonly left_out_at: number;
  /** Why there are none, or "". */
  readonly why: string;
}

export function readRawEvents(part: Part): RawEvents {
  return {
    events: part.get("events").list((event) => ({
      at_s: event.get("at_s").size(),
      round: event.get("round").size(),
      status: event.get("status").orAbsent(size),
      size_bytes: event.get("size_bytes").size(),
      text: event.get("text").text(),
    })),
    left_out: part.get("left_out").size(),
    left_out_at: part.get("left_out_at").orAbsent(size) ?? 0,
    why: part.get("why").orAbsent(text) ?? "",
  };
}

/** The event as JSON, or as the text that it is, such as `[DONE]`. */
export function valueOf(event: RawEvent): Json {
  try {
    return JSON.parse(event.text) as Json;
  } catch {
    return event.text;
  }
}

/** What an event says that the first one did not, "" for nothing: its id, model and date are the same in all of a reply. */
export function newsIn(event: RawEvent, first: RawEvent | undefined): string {
  const value = valueOf(event);
  const known = first === undefined || first === event ? null : valueOf(first);
  if (!isObject(value) || !isObject(known)) return event.text;
  const news = Object.entries(value).filter(([key, member]) => {
    const before: Json | undefined = Object.hasOwn(known, key) ? known[key] : undefined;
    return key !== "choices" && member !== null && JSON.stringify(member) !== JSON.stringify(before);
  });
  const choices = Array.isArray(value["choices"]) ? (value["choices"] as readonly Json[]) : [];
  const said = [...choices.map(pieceOf), ...(news.length > 0 ? [Object.fromEntries(news)] : [])];
  return said.map((one) => JSON.stringify(one)).join(" ");
}

/** A piece of a reply without the layers around it. */
function pieceOf(choice: Json): Json {
  if (!isObject(choice)) return choice;
  const { delta, message, index, ...rest } = choice;
  const piece = delta ?? message ?? null;
  const members = [
    ...(index === 0 ? [] : [["choice", index ?? null] as const]),
    ...Object.entries(isObject(piece) ? piece : {}),
    ...Object.entries(rest),
  ];
  return Object.fromEntries(members.filter(([, member]) => member !== null));
}

/** All of them as JSON lines. */
export function asLines({ events }: RawEvents): string {
  const lines = events.map((event) => {
    const { at_s, round, status } = event;
    return JSON.stringify({ at_s, round, ...(status === null ? {} : { status }), event: valueOf(event) });
  });
  return lines.join("\n");
}

export function readAnswer(data: Part): RawEvents | string {
  const found = readRawEvents(data);
  return found.events.length === 0 && found.why !== "" ? found.why : found;
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
