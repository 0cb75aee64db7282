/** What the kernel tells of a turn when it is asked, on live cards and on frozen ones; hostile until it is parsed. */

import { Part } from "./core/document";
import type { Logprobs } from "./core/details";
import { readLogprobs } from "./core/parse-details";
import { parseTurn } from "./core/parse-turn";
import { readAnswer, type RawEvents } from "./core/raw-events";
import type { TurnCard } from "./core/turn";
import type { Answer, Channel, JsonObject } from "./rpc";

export type Ask = Channel["request"];

/** The questions about one turn; each is answered with what was asked for or with why it cannot be had. */
export class TurnAsks {
  constructor(
    readonly id: string,
    readonly ask: Ask,
  ) {}

  readonly logprobs = (): Promise<Logprobs | string> =>
    this.#parsed(this.ask("logprobs", { turn: this.id }), ({ data }) =>
      readLogprobs(new Part(data["logprobs"], "logprobs")),
    );

  readonly events = (): Promise<RawEvents | string> =>
    this.#parsed(this.ask("events", { turn: this.id }), ({ data }) => readAnswer(new Part(data, "events")));

  /** Another turn of its place, as its card. */
  readonly version = (id: string): Promise<TurnCard | string> =>
    this.#parsed(this.ask("version", { turn: id }), ({ data }) => {
      const card = parseTurn(data["card"]);
      if (card.id !== id) throw new RangeError(`asked for the turn ${id}, the kernel told of ${card.id}`);
      return card;
    });

  /** The bytes of the reply's sound, or of another that `wanted` names; null where there is none. */
  async sound(wanted: JsonObject = {}): Promise<Uint8Array<ArrayBuffer> | null> {
    const answer = await this.ask("sound", { turn: this.id, ...wanted });
    if (answer.kind !== "result") return null;
    const [bytes] = answer.buffers;
    if (bytes === undefined) return null;
    // A buffer may be a part of a message that would be kept with it.
    const copy = new Uint8Array(bytes.byteLength);
    copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return copy;
  }

  async #parsed<T>(
    asked: Promise<Answer>,
    parse: (answer: Extract<Answer, { kind: "result" }>) => T | string,
  ): Promise<T | string> {
    const answer = await asked;
    if (answer.kind !== "result") return whyNot(answer);
    try {
      return parse(answer);
    } catch (error) {
      return String(error);
    }
  }
}

/** Why there is no result, in a sentence; "" where there is one. */
export function whyNot(answer: Answer): string {
  switch (answer.kind) {
    case "result":
      return "";
    case "error":
      return answer.message;
    case "cancelled":
      return "The card was closed before the kernel took it; run the cell again.";
    default:
      return answer satisfies never;
  }
}
