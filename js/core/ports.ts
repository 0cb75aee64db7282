/** What the views need from the outside. `js/audio` and `js/widgets` implement these; tests and the gallery fake them. */

import type { ReadonlySignal, Signal } from "@preact/signals";
import type { Logprobs, ToolCall } from "./details";
import type { Budget, Price } from "./price";
import type { RawEvents } from "./raw-events";
import type { Json, Settings } from "./settings";
import type { TurnCard } from "./turn";

/** How a sound stands. `blocked`: the browser waits for a click before it plays. */
export type PlayerPhase = "empty" | "ready" | "playing" | "paused" | "ended" | "blocked";

/** A part of a sound that plays round and round. */
export interface Loop {
  readonly from_s: number;
  readonly to_s: number;
}

/** Mono samples, 16 bit. */
export interface Samples {
  readonly pcm: Int16Array;
  readonly sample_rate_hz: number;
}

/** One reply's sound, streaming or whole. Only one player on the page plays at a time. */
export interface PlayerPort {
  readonly phase: ReadonlySignal<PlayerPhase>;
  readonly position_s: ReadonlySignal<number>;
  /** Seconds that have arrived; grows while the reply streams. */
  readonly duration_s: ReadonlySignal<number>;
  play(): void;
  pause(): void;
  seek(position_s: number): void;
  /** 1 is as spoken; the pitch is kept. */
  readonly speed: ReadonlySignal<number>;
  setSpeed(speed: number): void;
  readonly loop: ReadonlySignal<Loop | null>;
  setLoop(loop: Loop | null): void;
  /** What has arrived, decoded; null where it is not here and cannot be fetched. */
  samples(): Promise<Samples | null>;
  /** The sound as a file, compressed where it came so; null as for `samples`. */
  file(): Promise<Blob | null>;
}

/** Why the browser can't record: one sentence and one action. `name` is the browser's own error name. */
export interface Refusal {
  readonly name: string;
  readonly sentence: string;
  readonly action: string;
}

/** A recording or an upload that waits to be sent. */
export interface Take {
  readonly take: string;
  readonly duration_s: number;
  readonly peaks: readonly number[];
  /** A warning (clipped, nothing heard) or "". */
  readonly sentence: string;
}

export type RecorderPhase =
  | { readonly kind: "idle" }
  | { readonly kind: "asking" }
  | { readonly kind: "recording" }
  /** Stopped; the kernel has not confirmed all frames yet. */
  | { readonly kind: "saving" }
  | { readonly kind: "review"; readonly take: Take }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export interface RecorderPort {
  readonly phase: ReadonlySignal<RecorderPhase>;
  /** RMS of the last 50 ms in dBFS, −100 when silent. */
  readonly level_dbfs: ReadonlySignal<number>;
  readonly clipped: ReadonlySignal<boolean>;
  readonly elapsed_s: ReadonlySignal<number>;
  /** Peaks 0…1 of what was recorded so far, one per 50 ms. */
  readonly peaks: ReadonlySignal<readonly number[]>;
  start(): void;
  stop(): void;
  discard(): void;
  upload(file: File): void;
  /** Local preview of the take under review, or null. */
  readonly preview: ReadonlySignal<PlayerPort | null>;
}

/** A turn on the page: the card's data, its sound and what can be done with it. */
export interface TurnPort {
  readonly card: ReadonlySignal<TurnCard>;
  readonly player: PlayerPort;
  /** Seconds of speech that the service has made so far, while it runs. */
  readonly progress_s: ReadonlySignal<number>;
  stop(): void;
  /** The sound of a part of what was said to the model; null where it is not here. Always the same player for a part. */
  said(part: number): PlayerPort | null;
  /** The sound of another reply to the same request, by its index; null where it is not here. Always the same player for one. */
  choice(index: number): PlayerPort | null;
  /** Null where no kernel would hear it. */
  readonly decide: Decide | null;
  /** All probabilities, also those that the form has no room for, or why they cannot be had; null as for `decide`. */
  readonly allLogprobs: (() => Promise<Logprobs | string>) | null;
  /** What came over the wire for the turn, or why it cannot be had; null as for `decide`. */
  readonly rawEvents: (() => Promise<RawEvents | string>) | null;
  /** Another version of the turn by its id, or why it cannot be had; null where no kernel would hear it. */
  readonly version: ((id: string) => Promise<TurnPort | string>) | null;
}

/** What becomes of a call that waits: with these arguments instead of the model's, for this reason. */
export interface Decision {
  readonly action: "approve" | "reject" | "always";
  readonly args?: Readonly<Record<string, Json>>;
  readonly reason?: string;
}

/** Resolves to why the kernel did not take the decision, or "". */
export type Decide = (call: ToolCall, decision: Decision) => Promise<string>;

export interface PadState {
  readonly model: string;
  readonly voice: string;
  /** "" for the real service, else what stands in for it. */
  readonly badge: string;
  readonly notice: string;
  /** Null where no price is known; zero is a price. */
  readonly price: Price | null;
  readonly cost_usd: number;
  /** Null where the session has no limit. */
  readonly budget: Budget | null;
  readonly journal: string;
  /** What can be set and what is; null where only a recorder is shown. */
  readonly settings: Settings | null;
}

/** Whether the kernel answers. `silent`: it is busy or gone; what is recorded is kept until it is back. */
export type LinkPhase = "connecting" | "open" | "silent";

export interface PadPort {
  readonly state: ReadonlySignal<PadState>;
  readonly link: ReadonlySignal<LinkPhase>;
  readonly turns: ReadonlySignal<readonly TurnPort[]>;
  readonly recorder: RecorderPort;
  /** A sentence when the last send failed, or "". */
  readonly trouble: ReadonlySignal<string>;
  /** What is being written; it outlives the view, which a host may draw anew at any time. */
  readonly draft: Signal<string>;
  sendText(text: string): void;
  sendTake(take: string): void;
  /** Set some, all or none; null takes a value back. Resolves to why the kernel refused them, or "". */
  set(values: Readonly<Record<string, Json>>): Promise<string>;
}

/** `session.listen()` in a cell: a recorder until something is sent, then the card. */
export interface ListenPort {
  readonly state: ReadonlySignal<PadState>;
  readonly link: ReadonlySignal<LinkPhase>;
  /** `late`: the cell did not wait; sentence says why. `closed`: the wait was ended. */
  readonly phase: ReadonlySignal<"ready" | "late" | "closed">;
  readonly sentence: ReadonlySignal<string>;
  readonly turn: ReadonlySignal<TurnPort | null>;
  readonly recorder: RecorderPort;
  readonly trouble: ReadonlySignal<string>;
  sendTake(take: string): void;
}
