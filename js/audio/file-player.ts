/** Finished sound in any format the browser knows, through an audio element; needs no kernel. */

import { signal, type ReadonlySignal } from "@preact/signals";
import type { PlayerPhase, PlayerPort } from "../core/ports";
import { Scope } from "../core/scope";
import { leaveFloor, pageAudio, takeFloor, type Voice } from "./context";

/** An element's own `timeupdate` comes only four times a second. */
const POSITION_MS = 50;
const PHASES: readonly string[] = [
  "empty",
  "ready",
  "playing",
  "paused",
  "ended",
  "blocked",
] satisfies PlayerPhase[];

export interface FileSound {
  /** Encoded bytes, or the data: (or plain) address of the sound. */
  readonly content: Uint8Array<ArrayBuffer> | string;
  readonly mime: string;
  /** What the maker of the sound says; an element knows it only after it has read the file. */
  readonly duration_s?: number;
}

/** What is used of an audio element. */
export type SoundElement = EventTarget &
  Pick<
    HTMLAudioElement,
    | "src"
    | "preload"
    | "duration"
    | "currentTime"
    | "ended"
    | "error"
    | "play"
    | "pause"
    | "load"
    | "removeAttribute"
  >;

export class FilePlayer implements PlayerPort {
  readonly #scope = new Scope();
  readonly #audio: SoundElement;
  readonly #phase = signal<PlayerPhase>("ready");
  readonly #position_s = signal(0);
  readonly #duration_s: ReturnType<typeof signal<number>>;
  readonly #voice: Voice = { start: () => this.#start(), yield: () => this.#audio.pause() };
  #ticking: () => void = () => undefined;

  constructor(sound: FileSound, audio: SoundElement = new Audio()) {
    this.#audio = audio;
    this.#duration_s = signal(sound.duration_s ?? 0);
    audio.preload = "metadata";
    audio.src = this.#address(sound);
    this.#scope.add(() => {
      audio.pause();
      audio.removeAttribute("src");
      audio.load();
    });
    this.#follow();
    this.#scope.add(() => leaveFloor(this.#voice, false));
  }

  get phase(): ReadonlySignal<PlayerPhase> {
    return this.#phase;
  }

  get position_s(): ReadonlySignal<number> {
    return this.#position_s;
  }

  get duration_s(): ReadonlySignal<number> {
    return this.#duration_s as ReadonlySignal<number>;
  }

  play(): void {
    if (!this.#scope.closed) takeFloor(this.#voice);
  }

  pause(): void {
    this.#audio.pause();
    leaveFloor(this.#voice, true);
  }

  seek(position_s: number): void {
    if (!Number.isFinite(position_s) || this.#scope.closed) return;
    const target_s = Math.max(0, Math.min(position_s, this.duration_s.value));
    this.#audio.currentTime = target_s;
    this.#position_s.value = target_s;
    if (this.#phase.value === "ended") this.#phase.value = "paused";
  }

  /** Stop and let the element, its listeners and its address go. */
  close(): void {
    this.#scope.close();
  }

  #address({ content, mime }: FileSound): string {
    if (typeof content === "string") return content;
    const url = URL.createObjectURL(new Blob([content], { type: mime }));
    this.#scope.add(() => URL.revokeObjectURL(url));
    return url;
  }

  #start(): void {
    this.#audio.play().catch((error: unknown) => {
      leaveFloor(this.#voice, false);
      if (error instanceof DOMException && error.name === "NotAllowedError") this.#phase.value = "blocked";
      // `pause` before the sound began is an AbortError: nothing is wrong.
      else if (!(error instanceof DOMException && error.name === "AbortError")) this.#unplayable(error);
    });
  }

  #unplayable(error: unknown): void {
    this.#phase.value = "empty";
    console.error("[cellvoice] the browser cannot play this sound", error);
  }

  #follow(): void {
    const on = (type: string, run: () => void): void => void this.#scope.listen(this.#audio, type, run);
    on("play", () => this.#playing());
    on("pause", () => this.#rest(this.#audio.ended ? "ended" : "paused"));
    on("ended", () => this.#rest("ended"));
    on("durationchange", () => {
      if (Number.isFinite(this.#audio.duration)) this.#duration_s.value = this.#audio.duration;
    });
    on("error", () => this.#unplayable(this.#audio.error?.message));
  }

  #playing(): void {
    this.#phase.value = "playing";
    this.#ticking();
    this.#ticking = this.#scope.every(POSITION_MS, () => this.#tick());
  }

  #tick(): void {
    this.#position_s.value = this.#audio.currentTime;
  }

  #rest(phase: "paused" | "ended"): void {
    this.#ticking();
    this.#tick();
    this.#phase.value = phase;
    if (phase === "ended") leaveFloor(this.#voice, false);
  }
}

/** A player that goes on with what another one plays, until `close`. */
export interface AdoptedPlayer extends PlayerPort {
  close(): void;
}

/**
 * The live sound of a turn, when this page is still playing it: a card that freezes while its reply sounds goes on
 * with it instead of beginning another player. Null when there is none, or it has ended.
 */
export function adoptPlayer(turn: string): AdoptedPlayer | null {
  const sound = pageAudio().live.get(turn);
  if (sound === undefined || sound.state().phase === "ended") return null;
  const phase = signal<PlayerPhase>("ready");
  const position_s = signal(0);
  const duration_s = signal(0);
  const copy = (): void => {
    const now = sound.state();
    const known = PHASES.find((name): name is PlayerPhase => name === now.phase);
    phase.value = known ?? "ready";
    position_s.value = now.position_s;
    duration_s.value = now.duration_s;
  };
  copy();
  const close = sound.watch(copy);
  return {
    phase,
    position_s,
    duration_s,
    play: () => sound.play(),
    pause: () => sound.pause(),
    seek: (target_s) => sound.seek(target_s),
    close,
  };
}
