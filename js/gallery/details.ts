/** Turns with everything in them, for the gallery. */

import full from "../../tests/contract/turn.v1.full.json";
import { parseTurn, type TurnCard } from "../core";
import type { Alternative, Logprobs, Token } from "../core/details";
import { speechPeaks } from "./fakes";

const WORDS =
  " the of a and to in light sky blue because air scatters short waves more than long ones so from every side we see it"
    .split(" ")
    .slice(1)
    .map((word) => ` ${word}`);

export const FULL: TurnCard = (() => {
  const card = parseTurn(full);
  const { sound } = card.reply;
  return { ...card, reply: { ...card.reply, sound: sound && { ...sound, peaks: speechPeaks(120) } } };
})();

/** A turn in the middle of its calls: one runs, one waits for a person. */
export const ASKING: TurnCard = {
  ...FULL,
  state: "running",
  stale: false,
  versions: null,
  reply: { kind: "speech", text: "", refusal: null, sound: null },
  words: [],
  logprobs: null,
  parsed: null,
  partial: { city: "Zürich" },
  notices: [],
  tool_calls: FULL.tool_calls.map((call) => {
    if (call.name === "send_mail") return { ...call, state: "waiting", error: null, ended_s: null };
    return call.name === "forecast"
      ? { ...call, state: "running", result: null, result_html: null, ended_s: null }
      : call;
  }),
  trace: FULL.trace
    .filter(({ start_s }) => start_s < 1)
    .map((span) => (span.call_id === "call_2" || span.kind === "approval" ? { ...span, end_s: null } : span)),
};

/** Numbers that look random and are the same every time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

/** So many tokens, each with so many alternatives; most are nearly certain, as a model's are. */
export function manyTokens(amount: number, alternatives: number): Logprobs {
  const roll = dice(7);
  const tokens = Array.from({ length: amount }, (_, index): Token => {
    const text = index % 61 === 60 ? ".\n" : (WORDS[Math.floor(roll() * WORDS.length)] ?? " a");
    const p = 1 - Math.pow(roll(), 6) * 0.95;
    const others = Array.from({ length: alternatives - 1 }, (_, place): Alternative => {
      const other = WORDS[(index + place) % WORDS.length] ?? " a";
      return {
        text: `${other}${place}`,
        bytes: null,
        logprob: Math.log(((1 - p) * 0.5) / 2 ** place + 1e-9),
      };
    });
    const logprob = Math.log(p);
    const all = [{ text, bytes: null, logprob }, ...others].sort((a, b) => b.logprob - a.logprob);
    return { text, bytes: null, logprob, alternatives: all, joined: 1 };
  });
  return { tokens, more: 0, mean_logprob: null };
}

/** The same in the vendor form, so that reading it is part of what is measured. */
export function asForm({ tokens }: Logprobs): object {
  const alternative = ({ text, bytes, logprob }: Alternative) => [text, bytes, logprob];
  return {
    ...full,
    logprobs: {
      reported: "raw",
      tokens: tokens.map((token) => [...alternative(token), token.alternatives.map(alternative)]),
      more: 0,
    },
  };
}
