/** A recording or an upload on its way to the kernel: frames go while they are made, so a closed tab loses nothing. */

import { signal, type ReadonlySignal } from "@preact/signals";
import { openMicrophone, type Capture, type CapturedFrames, type OpenMicrophone } from "../audio/capture";
import { decodeSound, type DecodeSound } from "../audio/decode";
import { FilePlayer } from "../audio/file-player";
import { joined, SERVICE_RATE_HZ } from "../audio/pcm";
import { StreamPlayer } from "../audio/playback";
import { pageFacts, refusalFor } from "../audio/refusals";
import type { PlayerPort, RecorderPhase, RecorderPort, Take } from "../core/ports";
import type { Scope } from "../core/scope";
import { randomId, type Channel } from "../rpc";
import { parseTake } from "./events";

const FRAME_SAMPLES = SERVICE_RATE_HZ / 20;
const SILENCE_DBFS = -100;
/** How long a clipped frame is shown, in frames of 50 ms. */
const CLIP_SHOWN_FRAMES = 20;
/** Jupyter's server closes a connection that brings a message of more than 10 MiB. */
const MAX_UPLOAD_BYTES = 8 * 2 ** 20;

export interface RecorderParts {
  readonly openMicrophone?: OpenMicrophone;
  readonly decode?: DecodeSound;
  readonly noisyRoom?: () => boolean;
}

interface Preview extends PlayerPort {
  close(): void;
}

export class Recorder implements RecorderPort {
  readonly #channel: Channel;
  readonly #parts: RecorderParts;
  readonly #phase = signal<RecorderPhase>({ kind: "idle" });
  readonly #level_dbfs = signal(SILENCE_DBFS);
  readonly #clipped = signal(false);
  readonly #elapsed_s = signal(0);
  readonly #peaks = signal<readonly number[]>([]);
  readonly #preview = signal<Preview | null>(null);
  /** Takes that were given up or sent: a late confirmation must not bring them back. */
  readonly #settled = new Set<string>();
  #take = "";
  #capture: Capture | null = null;
  #pieces: Int16Array[] = [];
  #clip_shown = 0;
  #warning = "";
  #makePreview: (() => Preview) | null = null;

  constructor(channel: Channel, scope: Scope, parts: RecorderParts = {}) {
    this.#channel = channel;
    this.#parts = parts;
    scope.add(() => {
      this.#take = "";
      this.#capture?.abandon();
      this.#dropPreview();
    });
  }

  get phase(): ReadonlySignal<RecorderPhase> {
    return this.#phase;
  }
  get level_dbfs(): ReadonlySignal<number> {
    return this.#level_dbfs;
  }
  get clipped(): ReadonlySignal<boolean> {
    return this.#clipped;
  }
  get elapsed_s(): ReadonlySignal<number> {
    return this.#elapsed_s;
  }
  get peaks(): ReadonlySignal<readonly number[]> {
    return this.#peaks;
  }
  get preview(): ReadonlySignal<PlayerPort | null> {
    return this.#preview;
  }

  /** Ask for the microphone and record; call it from a click. What was under review is given up. */
  start(): void {
    const { kind } = this.#phase.value;
    if (kind === "asking" || kind === "recording" || kind === "saving") return;
    if (kind === "review") this.discard();
    const take = this.#begin("asking");
    const open = this.#parts.openMicrophone ?? openMicrophone;
    const options = {
      noisyRoom: this.#parts.noisyRoom?.() ?? false,
      frames: (frames: CapturedFrames) => this.#frames(take, frames),
      lost: () => this.#lost(take),
    };
    open(options).then(
      (capture) => this.#recording(take, capture),
      (error: unknown) => this.#refuse(take, error),
    );
  }

  stop(): void {
    const capture = this.#capture;
    if (this.#phase.value.kind === "asking") this.#forget();
    if (this.#phase.value.kind !== "recording" || capture === null) return;
    const take = this.#take;
    this.#phase.value = { kind: "saving" };
    void capture.stop().then(({ frames }) => {
      if (this.#take !== take) return;
      this.#capture = null;
      this.#level_dbfs.value = SILENCE_DBFS;
      if (frames > 0) this.#channel.emit("record.stop", { take, frames });
      else this.#empty(take);
    });
  }

  /** Give up what is being recorded, saved or reviewed. */
  discard(): void {
    const phase = this.#phase.value;
    if (phase.kind === "recording" || phase.kind === "saving" || phase.kind === "review") {
      this.#channel.emit("record.discard", { take: phase.kind === "review" ? phase.take.take : this.#take });
    }
    this.#forget();
  }

  upload(file: File): void {
    const { kind } = this.#phase.value;
    if (kind === "asking" || kind === "recording" || kind === "saving") return;
    if (kind === "review") this.discard();
    const take = this.#begin("saving");
    this.#send(take, file).catch((error: unknown) => {
      if (this.#take !== take) return;
      console.error("[cellvoice] the upload failed", error);
      this.#unreadable("UploadFailed", `${file.name} could not be read by this browser.`);
    });
  }

  /** The kernel has a take. One that this page does not know was made before it was opened: it may still be sent. */
  ready(take: Take): void {
    if (this.#settled.has(take.take)) return;
    const { kind } = this.#phase.value;
    const expected = take.take === this.#take && kind === "saving";
    if (!expected && kind !== "idle") return;
    this.#take = take.take;
    if (expected) this.#preview.value = this.#makePreview?.() ?? null;
    const sentence = [this.#warning, take.sentence].filter((part) => part !== "").join(" ");
    this.#phase.value = { kind: "review", take: { ...take, sentence } };
  }

  /** The take was sent, or a turn has begun: nothing is left to review. */
  sent(take: string): void {
    this.#settled.add(take);
    if (this.#phase.value.kind === "review" && this.#phase.value.take.take === take) this.#forget();
  }

  #begin(kind: "asking" | "saving"): string {
    this.#forget();
    this.#take = randomId();
    this.#phase.value = { kind };
    return this.#take;
  }

  #forget(): void {
    if (this.#take !== "") this.#settled.add(this.#take);
    this.#take = "";
    this.#capture?.abandon();
    this.#capture = null;
    this.#pieces = [];
    this.#warning = "";
    this.#makePreview = null;
    this.#dropPreview();
    this.#level_dbfs.value = SILENCE_DBFS;
    this.#clipped.value = false;
    this.#elapsed_s.value = 0;
    this.#peaks.value = [];
    this.#phase.value = { kind: "idle" };
  }

  #dropPreview(): void {
    this.#preview.peek()?.close();
    this.#preview.value = null;
  }

  #recording(take: string, capture: Capture): void {
    if (this.#take !== take) {
      capture.abandon();
      return;
    }
    this.#capture = capture;
    this.#phase.value = { kind: "recording" };
    this.#channel.emit("record.start", { take, sample_rate_hz: SERVICE_RATE_HZ, device: capture.device });
    this.#makePreview = () => {
      const player = new StreamPlayer({ turn: `take ${take}` });
      player.feed(0, joined(this.#pieces));
      player.finish();
      return player;
    };
  }

  #frames(take: string, { start_frame, pcm, level_dbfs, peak, clipped }: CapturedFrames): void {
    if (this.#take !== take) return;
    this.#channel.emit("record.frames", { take, start_frame }, [pcm]);
    this.#pieces.push(pcm);
    this.#level_dbfs.value = level_dbfs;
    this.#clip_shown = clipped ? CLIP_SHOWN_FRAMES : Math.max(0, this.#clip_shown - 1);
    this.#clipped.value = this.#clip_shown > 0;
    this.#elapsed_s.value = (start_frame + pcm.length) / SERVICE_RATE_HZ;
    this.#peaks.value = [...this.#peaks.value, Math.min(1, peak)];
  }

  #lost(take: string): void {
    if (this.#take !== take || this.#phase.value.kind !== "recording") return;
    this.#warning = "The microphone went away; what was said until then is kept.";
    this.stop();
  }

  #refuse(take: string, error: unknown): void {
    if (this.#take !== take) return;
    this.#forget();
    this.#phase.value = { kind: "refused", refusal: refusalFor(error, pageFacts()) };
  }

  #empty(take: string): void {
    this.#channel.emit("record.discard", { take });
    this.#forget();
  }

  #unreadable(name: string, sentence: string): void {
    this.#forget();
    this.#phase.value = {
      kind: "refused",
      refusal: { name, sentence, action: "Choose a WAV, FLAC, MP3 or Ogg file." },
    };
  }

  async #send(take: string, file: File): Promise<void> {
    const bytes = await file.arrayBuffer();
    if (this.#take !== take) return;
    this.#makePreview = () => new FilePlayer({ content: new Uint8Array(bytes), mime: file.type });
    if (bytes.byteLength > MAX_UPLOAD_BYTES) {
      await this.#sendDecoded(take, bytes, null);
      return;
    }
    const answer = await this.#channel.request("upload", { name: file.name }, [new Uint8Array(bytes)]);
    if (this.#take !== take) {
      if (answer.kind === "result")
        this.#channel.emit("record.discard", { take: parseTake(answer.data).take });
      return;
    }
    switch (answer.kind) {
      case "result": {
        // The kernel has named the take itself, perhaps by `take.ready` already.
        const ready = parseTake(answer.data);
        this.#take = ready.take;
        this.ready(ready);
        return;
      }
      case "error":
        if (answer.name === "AudioError") await this.#sendDecoded(take, bytes, answer.message);
        else this.#unreadable(answer.name, answer.message);
        return;
      case "cancelled":
        this.#forget();
        return;
      default:
        answer satisfies never;
    }
  }

  /** The browser reads formats that the kernel does not (webm, m4a): what it hears is sent like a recording. */
  async #sendDecoded(take: string, bytes: ArrayBuffer, kernelSaid: string | null): Promise<void> {
    const samples = await (this.#parts.decode ?? decodeSound)(bytes).catch((error: unknown) => {
      if (kernelSaid === null) throw error;
      return null;
    });
    if (this.#take !== take) return;
    if (samples === null) {
      this.#unreadable("AudioError", kernelSaid ?? "");
      return;
    }
    this.#channel.emit("record.start", { take, sample_rate_hz: SERVICE_RATE_HZ, device: "file" });
    for (let start_frame = 0; start_frame < samples.length; start_frame += FRAME_SAMPLES) {
      const pcm = samples.slice(start_frame, start_frame + FRAME_SAMPLES);
      this.#channel.emit("record.frames", { take, start_frame }, [pcm]);
    }
    this.#channel.emit("record.stop", { take, frames: samples.length });
  }
}
