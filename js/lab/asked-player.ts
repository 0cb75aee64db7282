/** A sound that only the kernel has: it is asked for when it is to be played, drawn or saved. */

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { FilePlayer } from "../audio/file-player";
import type { Loop, PlayerPhase, PlayerPort, Samples } from "../core/ports";

const MIME = "audio/mpeg";

type Load = () => Promise<Uint8Array<ArrayBuffer> | null>;

export class AskedPlayer implements PlayerPort {
  readonly #load: Load;
  readonly #said_s: number;
  readonly #file = signal<FilePlayer | null>(null);
  /** Shown until the sound is here. */
  readonly #before = signal<PlayerPhase>("ready");
  #loading: Promise<FilePlayer | null> | null = null;
  #closed = false;

  constructor(duration_s: number, load: Load) {
    this.#said_s = duration_s;
    this.#load = load;
  }

  readonly phase: ReadonlySignal<PlayerPhase> = computed(
    () => (this.#file.value?.phase ?? this.#before).value,
  );
  readonly position_s = computed(() => this.#file.value?.position_s.value ?? 0);
  readonly duration_s = computed(() => this.#file.value?.duration_s.value ?? this.#said_s);
  readonly speed = computed(() => this.#file.value?.speed.value ?? 1);
  readonly loop = computed(() => this.#file.value?.loop.value ?? null);

  /** Shown as playing while it comes, so that a second click calls it off. */
  play(): void {
    this.#before.value = "playing";
    this.#with((file) => this.#before.peek() === "playing" && file.play());
  }

  pause(): void {
    this.#before.value = "paused";
    this.#file.peek()?.pause();
  }

  seek(position_s: number): void {
    this.#with((file) => file.seek(position_s));
  }

  setSpeed(speed: number): void {
    this.#with((file) => file.setSpeed(speed));
  }

  setLoop(loop: Loop | null): void {
    this.#with((file) => file.setLoop(loop));
  }

  async samples(): Promise<Samples | null> {
    return (await this.#open())?.samples() ?? null;
  }

  async file(): Promise<Blob | null> {
    return (await this.#open())?.file() ?? null;
  }

  close(): void {
    this.#closed = true;
    this.#file.peek()?.close();
  }

  #with(run: (file: FilePlayer) => unknown): void {
    void this.#open().then((file) => file && run(file));
  }

  #open(): Promise<FilePlayer | null> {
    this.#loading ??= this.#fetch();
    return this.#loading;
  }

  async #fetch(): Promise<FilePlayer | null> {
    const content = await this.#load();
    if (this.#closed) return null;
    if (content === null) {
      this.#before.value = "empty";
      return null;
    }
    const file = new FilePlayer({ content, mime: MIME, duration_s: this.#said_s });
    this.#file.value = file;
    return file;
  }
}
