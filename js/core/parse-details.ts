/** Reads the optional parts of a turn. One that is broken is as if it were absent: the reply's words must not go with it. */

import type {
  Alternative,
  Logprobs,
  OtherChoice,
  OtherChoices,
  SpanKind,
  TimedWord,
  Token,
  ToolCall,
  ToolState,
  TraceSpan,
  TurnDetails,
} from "./details";
import { amount, size, text, TurnFormatError, type Part } from "./document";
import type { Json } from "./settings";

const STATES: readonly ToolState[] = ["waiting", "running", "done", "failed", "rejected"];
const KINDS: readonly SpanKind[] = ["upload", "waiting", "request", "thinking", "tool", "approval", "speech"];

export function readDetails(root: Part): TurnDetails {
  return {
    logprobs: attempt(root.get("logprobs"), readLogprobs, null),
    logprobs_why: attempt(root.get("logprobs_why"), text, ""),
    ...readWords(root),
    tool_calls: attempt(root.get("tool_calls"), readToolCalls, []),
    trace: attempt(root.get("trace"), readTrace, []),
    parsed: jsonOf(root.get("parsed")),
    parsed_error: attempt(root.get("parsed_error"), text, null),
    partial: jsonOf(root.get("partial")),
    request: jsonOf(root.get("request")),
    other_choices: attempt(root.get("other_choices"), readChoices, null),
  };
}

/** When words are spoken: those of a whole reply, or those that are known now. */
export function readWords(root: Part): Pick<TurnDetails, "words" | "words_estimated"> {
  return {
    words: attempt(root.get("words"), (words) => words.list(readWord), []),
    words_estimated: root.get("words_estimated").value === true,
  };
}

/** What a part says, or `otherwise` where it is absent, null or broken. */
export function attempt<T, U>(part: Part, read: (part: Part) => T, otherwise: U): T | U {
  try {
    return part.orAbsent(read) ?? otherwise;
  } catch (error) {
    if (!(error instanceof TurnFormatError)) throw error;
    console.warn(`[cellvoice] ${error.message}; this part of the turn is left out`);
    return otherwise;
  }
}

/** Whatever came out of a JSON parser is JSON. */
export function jsonOf(part: Part): Json {
  return (part.value ?? null) as Json;
}

export function readLogprobs(part: Part): Logprobs {
  const tokens = part.get("tokens").list(readToken);
  return {
    tokens,
    more: attempt(part.get("more"), size, 0),
    mean_logprob: attempt(part.get("mean"), amount, null),
  };
}

/** `[text, bytes, logprob, alternatives, joined?]`. Read without a `Part` for each value: there may be 100,000 of them. */
function readToken(part: Part): Token {
  const token: readonly unknown[] = Array.isArray(part.value) ? part.value : [];
  const others = token[3];
  return {
    ...readAlternative(token, part),
    alternatives: Array.isArray(others) ? others.map((other: unknown) => readAlternative(other, part)) : [],
    joined: typeof token[4] === "number" ? token[4] : 1,
  };
}

function readAlternative(value: unknown, part: Part): Alternative {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [];
  const [words, bytes, logprob] = parts;
  if (typeof words !== "string" || typeof logprob !== "number" || Number.isNaN(logprob))
    part.fail("[text, bytes, logprob, …]");
  return { text: words, bytes: isBytes(bytes) ? bytes : null, logprob: Math.min(0, logprob) };
}

function isBytes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256);
}

function readWord(part: Part): TimedWord {
  const [from, to, start_s, end_s] = part.list((value) => value.size());
  if (from === undefined || to === undefined || start_s === undefined || end_s === undefined)
    part.fail("[start_char, end_char, start_s, end_s]");
  return { from, to, start_s, end_s };
}

export function readToolCalls(part: Part): readonly ToolCall[] {
  return part.list((call) => ({
    id: call.get("id").text(),
    name: call.get("name").text(),
    args: attempt(call.get("arguments"), readObject, null),
    arguments_text: attempt(call.get("arguments_text"), text, ""),
    state: call.get("state").oneOf(STATES),
    result: attempt(call.get("result"), text, null),
    result_html: attempt(call.get("result_html"), text, null),
    error: attempt(call.get("error"), text, null),
    asked_s: attempt(call.get("asked_s"), size, null),
    started_s: attempt(call.get("started_s"), size, null),
    ended_s: attempt(call.get("ended_s"), size, null),
    round: attempt(call.get("round"), size, 0),
    hash: attempt(call.get("hash"), text, ""),
  }));
}

function readChoices(part: Part): OtherChoices {
  return { choices: part.get("choices").list(readChoice), more: attempt(part.get("more"), size, 0) };
}

function readChoice(choice: Part): OtherChoice {
  return {
    index: choice.get("index").size(),
    text: choice.get("text").text(),
    refusal: attempt(choice.get("refusal"), text, null),
    finish: attempt(choice.get("finish"), text, null),
    sound: attempt(
      choice.get("sound"),
      (sound) => ({ duration_s: sound.get("duration_s").size(), peaks: sound.get("peaks").list(size) }),
      null,
    ),
    calls: attempt(choice.get("calls"), (calls) => calls.list(text), []),
  };
}

function readObject(part: Part): Readonly<Record<string, Json>> {
  const { value } = part;
  if (typeof value !== "object" || value === null || Array.isArray(value)) part.fail("an object");
  return value as Readonly<Record<string, Json>>;
}

export function readTrace(part: Part): readonly TraceSpan[] {
  return part.list((span) => ({
    kind: span.get("kind").oneOf(KINDS),
    name: attempt(span.get("name"), text, ""),
    start_s: span.get("start_s").size(),
    end_s: attempt(span.get("end_s"), size, null),
    round: attempt(span.get("round"), size, 0),
    call_id: attempt(span.get("call_id"), text, null),
  }));
}
