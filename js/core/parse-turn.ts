/** Reads the vendor form of a turn, which may come from any notebook file. */

import { amount, Part, size, text, TurnFormatError } from "./document";
import { attempt, readDetails } from "./parse-details";
import type {
  CostPart,
  TurnCard,
  TurnFacts,
  TurnInput,
  TurnMarks,
  TurnSound,
  TurnStateName,
  TurnUsage,
} from "./turn";

const STATES: readonly TurnStateName[] = [
  "running",
  "complete",
  "stopped",
  "cut",
  "length",
  "filtered",
  "refused",
  "failed",
];

/**
 * The turn as the views use it.
 *
 * Throws `TurnFormatError` when something that is needed is missing or of the wrong type, or when the form is newer than
 * this version.
 */
export function parseTurn(document: unknown): TurnCard {
  const root = new Part(document, "turn");
  const version = root.get("version").amount();
  if (version !== 1) {
    throw new TurnFormatError(
      `this turn was saved in form ${version}, and this cellvoice reads form 1; update cellvoice to see all of it`,
    );
  }
  const reply = root.get("reply");
  return {
    version: 1,
    id: root.get("id").text(),
    number: root.get("number").size(),
    session: root.get("session").text(),
    state: root.get("state").oneOf(STATES),
    asked_at: root.get("asked_at").text(),
    input: root.get("input").list(readInput),
    reply: {
      kind: reply.get("kind").oneOf(["speech", "text", "none"] as const),
      text: reply.get("text").text(),
      refusal: reply.get("refusal").orNull(text),
      sound: reply.get("sound").orNull(readSound),
    },
    model: root.get("model").text(),
    voice: root.get("voice").orNull(text),
    engine: root.get("engine").orNull((engine) => ({
      badge: engine.get("badge").text(),
      detail: engine.get("detail").text(),
    })),
    facts: readFacts(root.get("facts")),
    notices: root.get("notices").list(text),
    error: root.get("error").orNull((error) => ({
      name: error.get("name").text(),
      message: error.get("message").text(),
    })),
    ...readMarks(root),
    ...readDetails(root),
  };
}

/** Marks that are left out say that there is nothing to say. */
export function readMarks(root: Part): TurnMarks {
  return {
    stale: root.get("stale").value === true,
    versions: root.get("versions").orAbsent((versions) => ({
      k: versions.get("k").size(),
      of: versions.get("of").size(),
      ids: versions.get("ids").orAbsent((ids) => ids.list(text)) ?? [],
    })),
  };
}

function readInput(input: Part): TurnInput {
  const kind = input.get("kind").oneOf(["text", "sound"] as const);
  switch (kind) {
    case "text":
      return { kind, text: input.get("text").text() };
    case "sound":
      return {
        kind,
        duration_s: input.get("duration_s").size(),
        peaks: input.get("peaks").list(size),
        heard: input.get("heard").orNull(text),
      };
    default:
      return kind satisfies never;
  }
}

function readSound(sound: Part): TurnSound {
  return {
    duration_s: sound.get("duration_s").size(),
    sample_rate_hz: sound.get("sample_rate_hz").size(),
    peaks: sound.get("peaks").list(size),
    mime: sound.get("mime").text(),
    href: sound.get("href").orNull(text),
  };
}

function readFacts(facts: Part): TurnFacts {
  return {
    usage: facts.get("usage").orNull(readUsage),
    cost_usd: facts.get("cost_usd").orNull(amount),
    cost_note: facts.get("cost_note").orNull(text),
    first_event_s: facts.get("first_event_s").orNull(size),
    first_sound_s: facts.get("first_sound_s").orNull(size),
    total_s: facts.get("total_s").orNull(size),
    request_id: facts.get("request_id").orNull(text),
    expires_at: facts.get("expires_at").orNull(amount),
    seed: attempt(facts.get("seed"), amount, null),
    fingerprint: attempt(facts.get("fingerprint"), text, null),
    upload_s: attempt(facts.get("upload_s"), size, null),
    first_byte_s: attempt(facts.get("first_byte_s"), size, null),
    first_words_s: attempt(facts.get("first_words_s"), size, null),
    rungs: attempt(facts.get("rungs"), readRungs, null),
    cost_parts: attempt(facts.get("cost_parts"), (parts) => parts.list(readCostPart), []),
  };
}

function readRungs(rungs: Part) {
  return { audio: rungs.get("audio").size(), transcript: rungs.get("transcript").size() };
}

function readCostPart(part: Part): CostPart {
  return {
    part: part.get("part").oneOf(["text_in", "cached_in", "audio_in", "text_out", "audio_out"] as const),
    tokens: part.get("tokens").size(),
    usd: attempt(part.get("usd"), amount, null),
  };
}

function readUsage(usage: Part): TurnUsage {
  return {
    prompt_tokens: usage.get("prompt_tokens").size(),
    completion_tokens: usage.get("completion_tokens").size(),
    total_tokens: usage.get("total_tokens").size(),
    prompt_audio_tokens: usage.get("prompt_audio_tokens").size(),
    prompt_text_tokens: usage.get("prompt_text_tokens").size(),
    completion_audio_tokens: usage.get("completion_audio_tokens").size(),
    completion_text_tokens: usage.get("completion_text_tokens").size(),
    cached_tokens: usage.get("cached_tokens").size(),
  };
}
