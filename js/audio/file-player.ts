/** Finished sound in any format the browser knows, through an audio element; needs no kernel. */

import { signal, type ReadonlySignal } from "@preact/signals";
import type { Loop, PlayerPhase, PlayerPort, Samples } from "../core/ports";
import { Scope } from "../core/scope";
import { leaveFloor, pageAudio, takeFloor, type Voice } from "./context";
import { decodeSound } from "./decode";
import { SERVICE_RATE_HZ } from "./pcm";
import { wavOf } from "./wav";

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
    | "playbackRate"
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
  readonly #speed = signal(1);
  readonly #loop = signal<Loop | null>(null);
  readonly #sound: FileSound;
  readonly #voice: Voice = { start: () => this.#start(), yield: () => this.#audio.pause() };
  #ticking: () => void = () => undefined;

  constructor(sound: FileSound, audio: SoundElement = new Audio()) {
    this.#audio = audio;
    this.#sound = sound;
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

  get speed(): ReadonlySignal<number> {
    return this.#speed;
  }

  /** An element keeps the pitch by itself. */
  setSpeed(speed: number): void {
    this.#speed.value = speed;
    this.#audio.playbackRate = speed;
  }

  get loop(): ReadonlySignal<Loop | null> {
    return this.#loop;
  }

  setLoop(loop: Loop | null): void {
    this.#loop.value = loop;
  }

  async samples(): Promise<Samples | null> {
    const file = await this.file();
    if (file === null) return null;
    return { pcm: await decodeSound(await file.arrayBuffer()), sample_rate_hz: SERVICE_RATE_HZ };
  }

  async file(): Promise<Blob | null> {
    const { content, mime } = this.#sound;
    const bytes = typeof content === "string" ? await bytesAt(content) : content;
    return bytes && new Blob([bytes], { type: mime });
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
    on("pause", () => this.#audio.ended || this.#rest("paused"));
    on("ended", () => (this.#loop.value === null ? this.#rest("ended") : this.#again(this.#loop.value)));
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
    const loop = this.#loop.value;
    if (loop !== null && this.#phase.value === "playing" && this.#audio.currentTime >= loop.to_s)
      this.#audio.currentTime = loop.from_s;
    this.#position_s.value = this.#audio.currentTime;
  }

  /** The end of the sound is the end of the loop. */
  #again(loop: Loop): void {
    this.#audio.currentTime = loop.from_s;
    this.#start();
  }

  #rest(phase: "paused" | "ended"): void {
    this.#ticking();
    this.#tick();
    this.#phase.value = phase;
    if (phase === "ended") leaveFloor(this.#voice, false);
  }
}

/** What lies at an address; null when it is not there any more. */
export async function bytesAt(address: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const [, base64] = /^data:[^,]*;base64,(.*)$/s.exec(address) ?? [];
  // A page's content policy may forbid to fetch what it lets play.
  if (base64 !== undefined) return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const answer = await fetch(address);
  return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
}

/** A player that goes on with what another one plays, until `close`. */
export interface AdoptedPlayer extends PlayerPort {
  close(): void;
}

/**
 * The live sound of a turn, when this page is still playing it: a card that freezes while its reply sounds goes on
 * with it instead of beginning another player. Null when there is none, or it has ended. `load` fetches the sound when
 * the page has let it go.
 */
export function adoptPlayer(turn: string, load: () => Promise<Int16Array | null>): AdoptedPlayer | null {
  const sound = pageAudio().live.get(turn);
  if (sound === undefined || sound.state().phase === "ended") return null;
  sound.offer?.(sound.state().duration_s, load);
  const phase = signal<PlayerPhase>("ready");
  const position_s = signal(0);
  const duration_s = signal(0);
  const speed = signal(1);
  const loop = signal<Loop | null>(null);
  const copy = (): void => {
    const now = sound.state();
    const known = PHASES.find((name): name is PlayerPhase => name === now.phase);
    phase.value = known ?? "ready";
    position_s.value = now.position_s;
    duration_s.value = now.duration_s;
    const shape = sound.shape?.();
    speed.value = shape?.speed ?? 1;
    loop.value = shape?.loop ?? null;
  };
  copy();
  const close = sound.watch(copy);
  const samples = (): Promise<Samples | null> => sound.samples?.() ?? Promise.resolve(null);
  return {
    phase,
    position_s,
    duration_s,
    play: () => sound.play(),
    pause: () => sound.pause(),
    seek: (target_s) => sound.seek(target_s),
    speed,
    loop,
    setSpeed: (to) => sound.setSpeed?.(to),
    setLoop: (to) => sound.setLoop?.(to),
    samples,
    file: async () => {
      const heard = await samples();
      return heard && wavOf(heard);
    },
    close,
  };
}
