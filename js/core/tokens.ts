/** The arithmetic of log probabilities, and tokens as they are written where they stand alone. */

import type { Alternative, Logprobs, Token } from "./details";

/** Below this probability a token counts as uncertain: all else together was likelier. */
export const UNCERTAIN = 0.5;

/** A token with what is reckoned from it. */
export interface Unit extends Token {
  /** From 0, as in `turn.logprobs.to_dataframe()`. */
  readonly position: number;
  /** 0…1. */
  readonly probability: number;
  /** In nats, over what is known and one more outcome for all the rest; null where no alternative is known. */
  readonly entropy_nat: number | null;
}

export interface Summary {
  readonly tokens: number;
  /** Of those that are in the form. */
  readonly uncertain: number;
  readonly perplexity: number;
  /** In nats. */
  readonly mean_logprob: number;
}

export function unitsOf(tokens: readonly Token[]): readonly Unit[] {
  return tokens.map((token, position) => ({
    ...token,
    text: textOf(token),
    position,
    probability: Math.exp(token.logprob),
    entropy_nat: token.alternatives.length === 0 ? null : entropy_nat(token),
  }));
}

/** A token's text; where it is only part of a character, its bytes. */
export function textOf({ bytes, text }: Alternative): string {
  if (bytes === null || !isBroken(bytes)) return text;
  return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

/** Whether bytes begin or end inside a character of UTF-8. */
function isBroken(bytes: readonly number[]): boolean {
  if ((bytes[0] ?? 0) >> 6 === 2) return true;
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return false;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back;
  }
  return false;
}

function entropy_nat(token: Token): number {
  const known = token.alternatives.map(({ logprob }) => Math.exp(logprob));
  if (!token.alternatives.some(({ text }) => text === token.text)) known.push(Math.exp(token.logprob));
  const rest = 1 - known.reduce((sum, p) => sum + p, 0);
  return [...known, rest].reduce((sum, p) => (p > 1e-9 ? sum - p * Math.log(p) : sum), 0);
}

/** A service that did not rank a token writes this; it says nothing of how likely it was. */
const UNRANKED = -9999;

function meanOf(tokens: readonly Token[]): number {
  const ranked = tokens.filter(({ logprob }) => logprob > UNRANKED);
  return ranked.reduce((sum, { logprob }) => sum + logprob, 0) / Math.max(1, ranked.length);
}

/** Null where there are no tokens. The kernel's own figures count also what was left out for its size. */
export function summaryOf({ tokens, more, mean_logprob }: Logprobs, units: readonly Unit[]): Summary | null {
  if (tokens.length === 0) return null;
  const mean = mean_logprob ?? meanOf(tokens);
  return {
    tokens: tokens.length + more,
    uncertain: units.filter(({ probability }) => probability < UNCERTAIN).length,
    perplexity: Math.exp(-mean),
    mean_logprob: mean,
  };
}

/** "97 %", "0.3 %", "< 0.01 %"; a certain one is never rounded up to 100. */
export function percent(probability: number): string {
  const share = probability * 100;
  if (probability >= 1) return "100 %";
  if (share >= 99.95) return "> 99.9 %";
  if (share >= 10) return `${share.toFixed(share >= 99.5 ? 1 : 0)} %`;
  if (share >= 0.01) return `${share.toFixed(share >= 1 ? 1 : 2)} %`;
  return "< 0.01 %";
}

/** A log probability, with a true minus sign. */
export function signed(value: number): string {
  return value.toFixed(3).replace("-", "−");
}

/** Spaces and line ends made visible, for a place where a token stands alone. */
export function visible(text: string): string {
  if (text === "") return "∅";
  return text.replace(/\n/g, "↵").replace(/\t/g, "⇥").replace(/ /g, "␣").replace(HIDDEN, codePoint);
}

/** Controls, and what would turn the direction of the text around it. */
const HIDDEN = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
