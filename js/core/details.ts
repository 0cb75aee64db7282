/** The optional parts of a turn's vendor form: probabilities, times of words, tools, the course of the turn, its request. */

import type { Json } from "./settings";

/** One text that could have stood at a place, and how likely it was. */
export interface Alternative {
  readonly text: string;
  /** Its UTF-8, where the service told it: part of a character has no text of its own. */
  readonly bytes: readonly number[] | null;
  readonly logprob: number;
}

export interface Token extends Alternative {
  /** The likeliest first. */
  readonly alternatives: readonly Alternative[];
  /** How many of the model's tokens were joined to whole characters; the alternatives are those of the first. */
  readonly joined: number;
}

export interface Logprobs {
  readonly tokens: readonly Token[];
  /** Tokens that were left out of the form for its size. */
  readonly more: number;
  /** Over all tokens, also those left out; null where the form does not say. */
  readonly mean_logprob: number | null;
}

/** A part of the text, counted in code points as the kernel does, and when it is spoken. */
export interface TimedWord {
  readonly from: number;
  readonly to: number;
  readonly start_s: number;
  readonly end_s: number;
}

export type ToolState = "waiting" | "running" | "done" | "failed" | "rejected";

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** Null where the model's text is no JSON object; then only `arguments_text` is there. */
  readonly args: Readonly<Record<string, Json>> | null;
  readonly arguments_text: string;
  readonly state: ToolState;
  readonly result: string | null;
  readonly result_html: string | null;
  readonly error: string | null;
  readonly asked_s: number | null;
  readonly started_s: number | null;
  readonly ended_s: number | null;
  readonly round: number;
  /** Of the arguments: a decision is bound to what was seen. */
  readonly hash: string;
}

export type SpanKind = "upload" | "waiting" | "request" | "thinking" | "tool" | "approval" | "speech";

/** What happened when, in seconds since the turn was asked; `end_s` is null while it lasts. */
export interface TraceSpan {
  readonly kind: SpanKind;
  readonly name: string;
  readonly start_s: number;
  readonly end_s: number | null;
  readonly round: number;
  readonly call_id: string | null;
}

/** Another reply to the same request; how it sounds is not in the form. */
export interface OtherChoice {
  /** Its place among all replies; the turn's own is 0. */
  readonly index: number;
  readonly text: string;
  readonly refusal: string | null;
  /** Why it ended, in the service's word. */
  readonly finish: string | null;
  readonly sound: { readonly duration_s: number; readonly peaks: readonly number[] } | null;
  /** `name(arguments)`; they are not run. */
  readonly calls: readonly string[];
}

export interface OtherChoices {
  readonly choices: readonly OtherChoice[];
  /** How many there are besides that the form has no room for. */
  readonly more: number;
}

export interface TurnDetails {
  readonly logprobs: Logprobs | null;
  /** Why there are none, in one sentence, or "". */
  readonly logprobs_why: string;
  readonly words: readonly TimedWord[];
  /** The times are reckoned from when words and sound arrived, not told by whoever spoke. */
  readonly words_estimated: boolean;
  readonly tool_calls: readonly ToolCall[];
  readonly trace: readonly TraceSpan[];
  readonly parsed: Json;
  readonly parsed_error: string | null;
  /** What of the object has come while it streams; null before. */
  readonly partial: Json;
  readonly request: Json;
  /** Null for a turn with one reply. */
  readonly other_choices: OtherChoices | null;
}
