/** Reads the vendor form of a turn, which may come from any notebook file. */

import type { TurnCard, TurnFacts, TurnInput, TurnSound, TurnStateName, TurnUsage } from "./turn";

/** The vendor form is not one that this version can show; the message names the place. */
export class TurnFormatError extends Error {
  override readonly name = "TurnFormatError";
}

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

/** One value and where it stands in the document, so that every complaint can say where. Keys nobody asks for are ignored. */
class Node {
  constructor(
    readonly value: unknown,
    readonly path: string,
  ) {}

  fail(expected: string): never {
    const found = this.value === undefined ? "nothing" : JSON.stringify(this.value).slice(0, 40);
    throw new TurnFormatError(`${this.path} should be ${expected}, but is ${found}`);
  }

  get(key: string): Node {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value)) this.fail("an object");
    const own = Object.hasOwn(this.value, key) ? (this.value as Record<string, unknown>)[key] : undefined;
    return new Node(own, `${this.path}.${key}`);
  }

  text(): string {
    return typeof this.value === "string" ? this.value : this.fail("text");
  }

  amount(): number {
    return typeof this.value === "number" && Number.isFinite(this.value) ? this.value : this.fail("a number");
  }

  /** A number that may not be below zero: seconds, tokens, rates. */
  size(): number {
    const amount = this.amount();
    return amount >= 0 ? amount : this.fail("0 or more");
  }

  oneOf<T extends string>(names: readonly T[]): T {
    return names.find((name) => name === this.value) ?? this.fail(`one of ${names.join(", ")}`);
  }

  list<T>(read: (node: Node) => T): readonly T[] {
    if (!Array.isArray(this.value)) this.fail("a list");
    return this.value.map((item: unknown, index) => read(new Node(item, `${this.path}[${index}]`)));
  }

  orNull<T>(read: (node: Node) => T): T | null {
    return this.value === null ? null : read(this);
  }
}

const text = (node: Node): string => node.text();
const amount = (node: Node): number => node.amount();
const size = (node: Node): number => node.size();

/**
 * The turn as the views use it.
 *
 * Throws `TurnFormatError` when something that is needed is missing or of the wrong type, or when the form is newer than
 * this version.
 */
export function parseTurn(document: unknown): TurnCard {
  const root = new Node(document, "turn");
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
  };
}

function readInput(input: Node): TurnInput {
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

function readSound(sound: Node): TurnSound {
  return {
    duration_s: sound.get("duration_s").size(),
    sample_rate_hz: sound.get("sample_rate_hz").size(),
    peaks: sound.get("peaks").list(size),
    mime: sound.get("mime").text(),
    href: sound.get("href").orNull(text),
  };
}

function readFacts(facts: Node): TurnFacts {
  return {
    usage: facts.get("usage").orNull(readUsage),
    cost_usd: facts.get("cost_usd").orNull(amount),
    cost_note: facts.get("cost_note").orNull(text),
    first_event_s: facts.get("first_event_s").orNull(size),
    first_sound_s: facts.get("first_sound_s").orNull(size),
    total_s: facts.get("total_s").orNull(size),
    request_id: facts.get("request_id").orNull(text),
    expires_at: facts.get("expires_at").orNull(amount),
  };
}

function readUsage(usage: Node): TurnUsage {
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
