/** What the playback worklet does, without a browser: keep all samples, render them gaplessly, wait when they run out. */

import { free } from "./pcm";
import { Interpolator } from "./resample";
import { Stretch } from "./stretch";

export type RingState = "paused" | "filling" | "playing" | "ended";

/** A wider hole in the frame numbers is an error of the sender, not silence to be rendered. */
const MAX_HOLE_S = 60;
export const MIN_START_BUFFER_S = 0.1;
/** For the first reply of a page, which is busy drawing then: with 0.1 s it often ran dry after the first piece. */
export const FIRST_START_BUFFER_S = 0.25;
export const MAX_START_BUFFER_S = 1.2;

/** Samples that only grow, with room ahead so that feeding does not copy each time. */
class Samples {
  #held: Int16Array<ArrayBuffer>;
  length = 0;

  constructor(room: number) {
    this.#held = new Int16Array(room);
  }

  at = (index: number): number => (index < 0 || index >= this.length ? 0 : (this.#held[index] ?? 0) / 32_768);

  append(samples: Int16Array): void {
    const needed = this.length + samples.length;
    if (needed > this.#held.length) {
      const wider = new Int16Array(Math.max(needed, this.#held.length * 2));
      wider.set(this.#held);
      free(this.#held);
      this.#held = wider;
    }
    this.#held.set(samples, this.length);
    this.length = needed;
  }

  drop(): void {
    this.length = 0;
    free(this.#held);
  }
}

export class PlaybackRing {
  readonly #source_hz: number;
  readonly #output_hz: number;
  readonly #between: Interpolator | null;
  readonly #samples: Samples;
  #state: RingState = "paused";
  #finished = false;
  /** Where playing began, and how many output frames were made since: together the exact position. */
  #from = 0;
  #since = 0;
  #speed = 1;
  /** What is rendered instead of the samples themselves while the speed is not 1. */
  #stretch: Stretch | null = null;
  /** Frames between which it plays round and round. */
  #loop: { readonly from: number; readonly to: number } | null = null;
  #dry_output_frames = 0;
  underruns = 0;
  rendered_frames = 0;
  start_buffer_s: number;

  constructor(source_hz: number, output_hz: number, start_buffer_s: number) {
    this.#source_hz = source_hz;
    this.#output_hz = output_hz;
    this.#between = source_hz === output_hz ? null : new Interpolator(source_hz, output_hz);
    this.#samples = new Samples(source_hz * 4);
    this.start_buffer_s = clamp(start_buffer_s, MIN_START_BUFFER_S, MAX_START_BUFFER_S);
  }

  get state(): RingState {
    return this.#state;
  }

  get position_frames(): number {
    const since = this.#between?.before(this.#since) ?? this.#since;
    return Math.min(this.#samples.length, this.#from + Math.floor(since * this.#speed));
  }

  get length_frames(): number {
    return this.#samples.length;
  }

  /** Add samples that begin at `start_frame`; what is known already is skipped, a small hole becomes silence. */
  feed(start_frame: number, samples: Int16Array): void {
    const hole = start_frame - this.#samples.length;
    if (this.#finished || hole > MAX_HOLE_S * this.#source_hz) return;
    if (hole > 0) this.#samples.append(new Int16Array(hole));
    if (-hole < samples.length) this.#samples.append(hole < 0 ? samples.subarray(-hole) : samples);
  }

  /** No more will come: what is left is played without waiting. */
  finish(): void {
    this.#finished = true;
  }

  /** Nothing will be rendered any more. */
  close(): void {
    this.#state = "ended";
    this.#samples.drop();
  }

  play(): void {
    if (this.#state === "ended") this.seek(0);
    if (this.#state !== "playing") {
      this.#state = "filling";
      this.#dry_output_frames = 0;
    }
  }

  pause(): void {
    if (this.#state !== "ended") this.#state = "paused";
  }

  seek(frame: number): void {
    this.#from = clamp(Math.round(frame), 0, this.#samples.length);
    this.#since = 0;
    this.#stretch =
      this.#speed === 1 ? null : new Stretch(this.#read(this.#from), this.#speed, this.#source_hz);
    if (this.#state === "ended") this.#state = "paused";
  }

  /** Faster or slower from here on, with the pitch kept. */
  setSpeed(speed: number): void {
    const { state, position_frames } = this;
    this.#speed = speed;
    this.seek(position_frames);
    this.#state = state;
  }

  /** Play these frames over and over; null goes on to the end. */
  setLoop(loop: { readonly from: number; readonly to: number } | null): void {
    this.#loop = loop !== null && loop.to > loop.from ? loop : null;
  }

  /** Fill `out`; silence where there is nothing to play. Returns how many frames are sound. */
  render(out: Float32Array): number {
    this.#turnBack();
    if (this.#state === "filling") this.#startWhenFull(out.length);
    const count = this.#state === "playing" ? Math.min(out.length, this.#playable()) : 0;
    this.#copy(out, count);
    out.fill(0, count);
    this.rendered_frames += count;
    if (this.#state === "playing" && count < out.length) this.#ranDry(out.length - count);
    return count;
  }

  /** At the end of a loop, or where its last frames will never come, begin it again. */
  #turnBack(): void {
    if (this.#loop === null || this.#state !== "playing") return;
    const end = this.#finished ? Math.min(this.#loop.to, this.#samples.length) : this.#loop.to;
    if (this.position_frames >= end) this.seek(this.#loop.from);
  }

  /** The samples from a frame on. */
  #read(from: number): (index: number) => number {
    return (index) => this.#samples.at(from + index);
  }

  #copy(out: Float32Array, count: number): void {
    const stretch = this.#stretch;
    const at = stretch === null ? this.#read(this.#from) : (k: number): number => stretch.at(k);
    for (let index = 0; index < count; index += 1) {
      const n = this.#since + index;
      out[index] = this.#between === null ? at(n) : this.#between.sample(at, n);
    }
    this.#since += count;
  }

  /** Output frames that can be made now; the filter must see ahead until the end is known. */
  #playable(): number {
    const known = this.#made(this.#samples.length - this.#from);
    if (this.#between === null) return known - this.#since;
    return Math.max(
      0,
      this.#between.count(this.#finished ? known : known - this.#between.radius) - this.#since,
    );
  }

  /** How many frames the first `known` samples give at this speed. */
  #made(known: number): number {
    if (this.#stretch === null) return known;
    return this.#finished ? Math.ceil(known / this.#speed) : this.#stretch.ready(known);
  }

  #startWhenFull(asked_frames: number): void {
    const buffered_s = (this.#samples.length - this.position_frames) / this.#source_hz;
    if (this.#finished || buffered_s >= this.start_buffer_s) {
      if (this.#dry_output_frames > 0) this.#learn();
      this.#state = "playing";
    } else if (this.#dry_output_frames > 0) {
      this.#dry_output_frames += asked_frames;
    }
  }

  #ranDry(missing_frames: number): void {
    if (this.#finished) {
      if (this.#loop === null) this.#state = "ended";
      else this.seek(this.#loop.from);
      return;
    }
    this.underruns += 1;
    this.#dry_output_frames = missing_frames;
    this.#state = "filling";
    this.start_buffer_s = clamp(this.start_buffer_s * 2, MIN_START_BUFFER_S, MAX_START_BUFFER_S);
  }

  /** A pause of this length would have been covered by a start-up buffer of the same length. */
  #learn(): void {
    const dry_s = this.#dry_output_frames / this.#output_hz;
    this.start_buffer_s = clamp(Math.max(this.start_buffer_s, dry_s), MIN_START_BUFFER_S, MAX_START_BUFFER_S);
    this.#dry_output_frames = 0;
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
