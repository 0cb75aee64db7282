/** The vendor form of a turn, `application/vnd.cellvoice.turn.v1+json`, as the views use it. */

import type { TurnDetails } from "./details";

export const TURN_MIME = "application/vnd.cellvoice.turn.v1+json";

export type TurnStateName =
  "running" | "complete" | "stopped" | "cut" | "length" | "filtered" | "refused" | "failed";

export type TurnInput =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "sound";
      readonly duration_s: number;
      readonly peaks: readonly number[];
      readonly heard: string | null;
    };

export interface TurnSound {
  readonly duration_s: number;
  readonly sample_rate_hz: number;
  readonly peaks: readonly number[];
  readonly mime: string;
  /** Where the sound lies when it is not in the HTML of the same bundle. */
  readonly href: string | null;
}

export interface TurnUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_audio_tokens: number;
  readonly prompt_text_tokens: number;
  readonly completion_audio_tokens: number;
  readonly completion_text_tokens: number;
  readonly cached_tokens: number;
}

export interface TurnFacts {
  readonly usage: TurnUsage | null;
  readonly cost_usd: number | null;
  readonly cost_note: string | null;
  readonly first_event_s: number | null;
  readonly first_sound_s: number | null;
  readonly total_s: number | null;
  readonly request_id: string | null;
  readonly expires_at: number | null;
  readonly seed: number | null;
  readonly fingerprint: string | null;
  readonly upload_s: number | null;
  readonly first_byte_s: number | null;
  readonly first_words_s: number | null;
  /** How many earlier answers went to the model again as sound, and how many by their words. */
  readonly rungs: { readonly audio: number; readonly transcript: number } | null;
  readonly cost_parts: readonly CostPart[];
}

/** What a part of the tokens costs; the price is null where it is not known. */
export interface CostPart {
  readonly part: "text_in" | "cached_in" | "audio_in" | "text_out" | "audio_out";
  readonly tokens: number;
  readonly usd: number | null;
}

/** What became of a turn in the conversation since. */
export interface TurnMarks {
  /** Turns before it have changed since it was asked. */
  readonly stale: boolean;
  /** Which of the turns that were asked in its place it is, from 1; null for the only one. */
  readonly versions: TurnVersions | null;
}

export interface TurnVersions {
  readonly k: number;
  readonly of: number;
  /** The turns themselves, from the first; empty where only their number is known. */
  readonly ids: readonly string[];
}

export interface TurnCard extends TurnMarks, TurnDetails {
  readonly version: 1;
  readonly id: string;
  readonly number: number;
  readonly session: string;
  readonly state: TurnStateName;
  readonly asked_at: string;
  readonly input: readonly TurnInput[];
  readonly reply: {
    readonly kind: "speech" | "text" | "none";
    readonly text: string;
    readonly refusal: string | null;
    readonly sound: TurnSound | null;
  };
  readonly model: string;
  readonly voice: string | null;
  /** Null for the real service. */
  readonly engine: { readonly badge: string; readonly detail: string } | null;
  readonly facts: TurnFacts;
  readonly notices: readonly string[];
  readonly error: { readonly name: string; readonly message: string } | null;
}
