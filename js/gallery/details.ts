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
  other_choices: null,
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

const EVIL = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>\u001b[31m\u202egnp.exe ";
const ENDLESS = "x".repeat(1_000_000);

/** Whatever a model, a tool or a file may say to break a page. */
export const HOSTILE: TurnCard = {
  ...FULL,
  input: [
    { kind: "text", text: EVIL + "w".repeat(3_000) },
    { kind: "sound", duration_s: 3, peaks: [0.5], heard: EVIL },
  ],
  reply: { ...FULL.reply, text: EVIL + ENDLESS },
  words: [],
  model: EVIL,
  voice: EVIL + "v".repeat(400),
  engine: { badge: EVIL, detail: EVIL },
  notices: [EVIL, "n".repeat(2_000)],
  parsed: { [EVIL]: EVIL, long: ENDLESS },
  request: { [EVIL]: [EVIL] },
  logprobs_why: EVIL,
  logprobs: {
    tokens: [EVIL, "t".repeat(5_000), "\u202e", ""].map((text) => ({
      text,
      bytes: null,
      logprob: -1,
      alternatives: [{ text: text + EVIL, bytes: null, logprob: -2 }],
      joined: 1,
    })),
    more: 0,
    mean_logprob: null,
  },
  tool_calls: FULL.tool_calls.map((call) => ({
    ...call,
    name: EVIL + "n".repeat(500),
    arguments_text: ENDLESS,
    args: call.args && { [EVIL]: ENDLESS },
    result: ENDLESS,
    result_html: call.result_html && `${EVIL}<table><tr><td>${"c".repeat(5_000)}</td></tr></table>`,
    error: ENDLESS,
  })),
  other_choices: {
    choices: [
      {
        index: 1,
        text: EVIL + ENDLESS,
        refusal: null,
        finish: EVIL + "f".repeat(500),
        sound: { duration_s: 1, peaks: [0.5] },
        calls: [EVIL + ENDLESS],
      },
    ],
    more: 0,
  },
  trace: FULL.trace.map((span) => ({ ...span, name: EVIL })),
  facts: { ...FULL.facts, request_id: EVIL, fingerprint: "f".repeat(500), cost_note: EVIL },
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
