/** A reply's sound as it streams in: gapless, seekable, one at a time on the page. */

import { signal, type ReadonlySignal } from "@preact/signals";
import type { Loop, PlayerPhase, PlayerPort, Samples } from "../core/ports";
import { pageClock, Scope, type Clock } from "../core/scope";
import { leaveFloor, pageAudio, takeFloor, waitForFloor, type PlaybackReport, type Voice } from "./context";
import { liveSoundOf } from "./live-sound";
import type { FromPlayback } from "./messages";
import { CLICKED_MS, unaskedPatience_ms } from "./patience";
import { joined, SERVICE_RATE_HZ } from "./pcm";
import { shelve, takeDown, type Kept } from "./shelf";
import { pageSpeakers, type Sink, type Speakers } from "./sink";
import { wavOf } from "./wav";

/** A smooth reply may have been lucky, so what was learned is forgotten slowly. */
const CALMER = 0.8;
const MAX_REPORTS = 32;

export interface StreamPlayerOptions {
  readonly turn: string;
  readonly clock?: Clock;
  readonly speakers?: Speakers;
}

export class StreamPlayer implements PlayerPort {
  readonly #turn: string;
  #rate_hz = SERVICE_RATE_HZ;
  readonly #clock: Clock;
  readonly #speakers: Speakers;
  readonly #scope = new Scope();
  readonly #phase = signal<PlayerPhase>("empty");
  readonly #position_s = signal(0);
  readonly #duration_s = signal(0);
  readonly #speed = signal(1);
  readonly #loop = signal<Loop | null>(null);
  readonly #voice: Voice = { start: () => this.#start(), yield: () => this.#hold() };
  readonly #kept: Kept = { duration_s: () => this.#frames / this.#rate_hz, drop: () => this.#drop() };
  #pieces: Int16Array[] = [];
  readonly #watchers = new Set<() => void>();
  #report: PlaybackReport | null = null;
  #frames = 0;
  #finished = false;
  #released = false;
  /** Another view of the page has the same reply and plays it. */
  #echo = false;
  #announced = false;
  #sink: Sink | null = null;
  #opening = false;
  #load: (() => Promise<Int16Array | null>) | null = null;
  #fetching: Promise<void> | null = null;
  #wanted = false;
  #asked_ms = 0;
  #patience_ms = CLICKED_MS;
  #stopWaiting: () => void = () => undefined;

  constructor(options: StreamPlayerOptions) {
    this.#turn = options.turn;
    this.#clock = options.clock ?? pageClock;
    this.#speakers = options.speakers ?? pageSpeakers;
    for (const watched of [this.#phase, this.#position_s, this.#duration_s, this.#speed, this.#loop]) {
      this.#scope.add(watched.subscribe(() => this.#watchers.forEach((run) => run())));
    }
  }

  get phase(): ReadonlySignal<PlayerPhase> {
    return this.#phase;
  }

  get position_s(): ReadonlySignal<number> {
    return this.#position_s;
  }

  get duration_s(): ReadonlySignal<number> {
    return this.#duration_s;
  }

  get speed(): ReadonlySignal<number> {
    return this.#speed;
  }

  get loop(): ReadonlySignal<Loop | null> {
    return this.#loop;
  }

  /** What the audio thread saw, null before anything was rendered. */
  get report(): Readonly<PlaybackReport> | null {
    return this.#report;
  }

  /** Samples that begin at `start_frame`; what is known already is skipped, a hole becomes silence. */
  feed(start_frame: number, samples: Int16Array, sample_rate_hz = SERVICE_RATE_HZ): void {
    if (this.#finished || this.#scope.closed) return;
    if (this.#frames === 0) this.#rate_hz = sample_rate_hz;
    else if (this.#rate_hz !== sample_rate_hz)
      throw new RangeError(`the sound changed from ${this.#rate_hz} to ${sample_rate_hz} Hz`);
    const hole = start_frame - this.#frames;
    if (-hole >= samples.length || hole > this.#rate_hz * 60) return;
    if (this.#frames === 0) {
      this.#asked_ms = wallClock_ms();
      this.#announce();
    }
    const fresh = hole < 0 ? samples.subarray(-hole) : samples;
    if (hole > 0) this.#keep(new Int16Array(hole));
    this.#keep(fresh);
    if (this.#phase.value === "empty") this.#phase.value = "ready";
    if (this.#wanted) this.#openSink();
  }

  /**
   * The sound is elsewhere, too: it is fetched when it is to be played and is not here, or not any more. `load` gives
   * null when it is gone.
   */
  offer(duration_s: number, load: () => Promise<Int16Array | null>): void {
    this.#load = load;
    if (this.#frames > 0) {
      this.#rest();
      return;
    }
    this.#duration_s.value = duration_s;
    this.#phase.value = "ready";
  }

  /** No more will come. */
  finish(): void {
    this.#finished = true;
    this.#sink?.send({ kind: "finish" });
    if (this.#released) this.#closeWhenIdle();
  }

  /** Play by itself, after whatever the page plays now; a reply that two views show is heard once. */
  autoPlay(): void {
    if (this.#scope.closed || this.#echo) return;
    this.#patience_ms = unaskedPatience_ms();
    waitForFloor(this.#voice);
  }

  play(): void {
    if (this.#scope.closed) return;
    if (this.#phase.value === "blocked") this.#seekTo(0);
    this.#patience_ms = CLICKED_MS;
    takeFloor(this.#voice);
  }

  pause(): void {
    leaveFloor(this.#voice, true);
    this.#hold();
  }

  seek(position_s: number): void {
    if (Number.isFinite(position_s)) this.#seekTo(position_s);
  }

  setSpeed(speed: number): void {
    this.#speed.value = speed;
    this.#sink?.send({ kind: "speed", speed });
  }

  setLoop(loop: Loop | null): void {
    this.#loop.value = loop;
    this.#sink?.send({ kind: "loop", loop: this.#loopFrames() });
  }

  async samples(): Promise<Samples | null> {
    if (this.#frames === 0 && this.#load !== null) await this.#fetch(this.#load);
    return this.#frames === 0 ? null : { pcm: joined(this.#pieces), sample_rate_hz: this.#rate_hz };
  }

  async file(): Promise<Blob | null> {
    const samples = await this.samples();
    return samples === null ? null : wavOf(samples);
  }

  /** The widget is going: play on to the end if it is playing or has its turn coming, then let everything go. */
  release(): void {
    this.#released = true;
    this.#load = null;
    takeDown(this.#kept);
    this.finish();
  }

  /** Stop at once and let everything go. */
  close(): void {
    leaveFloor(this.#voice, false);
    takeDown(this.#kept);
    this.#drop();
    this.#scope.close();
  }

  #keep(samples: Int16Array): void {
    this.#sink?.send({ kind: "feed", start_frame: this.#frames, pcm: samples });
    this.#pieces.push(samples);
    this.#frames += samples.length;
    this.#duration_s.value = this.#frames / this.#rate_hz;
  }

  #start(): void {
    this.#wanted = true;
    this.#asked_ms = wallClock_ms();
    if (this.#phase.value === "ended") this.#seekTo(0);
    if (this.#speakers.running) {
      this.#begin();
      return;
    }
    this.#speakers.resume().then(
      () => this.#begin(),
      (error: unknown) => console.warn("[cellvoice] the browser did not start its sound", error),
    );
    this.#stopWaiting();
    this.#stopWaiting = this.#scope.after(this.#patience_ms, () => this.#block(), this.#clock);
  }

  #block(): void {
    if (!this.#wanted || this.#speakers.running) return;
    this.#phase.value = "blocked";
    leaveFloor(this.#voice, true);
    this.#wanted = false;
    if (this.#released) this.#closeWhenIdle();
  }

  #begin(): void {
    this.#stopWaiting();
    // A sound that was given up as blocked begins only by its own button: the click that woke the page was for another.
    if (!this.#wanted || this.#scope.closed) return;
    takeDown(this.#kept);
    if (this.#frames > 0) this.#phase.value = "playing";
    if (this.#sink !== null) this.#sink.send({ kind: "play" });
    else if (this.#frames > 0) this.#openSink();
    else if (this.#load !== null) void this.#fetch(this.#load);
  }

  #loopFrames(): { from: number; to: number } | null {
    const loop = this.#loop.value;
    const frames = (time_s: number): number => Math.round(time_s * this.#rate_hz);
    return loop && { from: frames(loop.from_s), to: frames(loop.to_s) };
  }

  #fetch(load: () => Promise<Int16Array | null>): Promise<void> {
    this.#fetching ??= load()
      .then((samples) => {
        if (samples === null) throw new Error("it is no longer there");
        this.#finished = false;
        this.feed(0, samples);
        this.finish();
        this.#rest();
      })
      .catch((error: unknown) => {
        this.#load = null;
        this.#failed(error);
      })
      .finally(() => (this.#fetching = null));
    return this.#fetching;
  }

  #openSink(): void {
    if (this.#sink !== null || this.#opening || !this.#speakers.running) return;
    this.#opening = true;
    this.#phase.value = "playing";
    const options = { source_rate_hz: this.#rate_hz, start_buffer_s: pageAudio().start_buffer_s };
    this.#speakers
      .open(options, (message) => this.#hear(message))
      .then(
        (sink) => this.#opened(sink),
        (error: unknown) => this.#failed(error),
      );
  }

  #opened(sink: Sink): void {
    this.#opening = false;
    if (this.#scope.closed || this.#frames === 0) {
      sink.close();
      return;
    }
    this.#sink = sink;
    sink.send({ kind: "feed", start_frame: 0, pcm: joined(this.#pieces) });
    if (this.#finished) sink.send({ kind: "finish" });
    sink.send({ kind: "speed", speed: this.#speed.value });
    sink.send({ kind: "loop", loop: this.#loopFrames() });
    sink.send({ kind: "seek", frame: Math.round(this.#position_s.value * this.#rate_hz) });
    if (this.#wanted) sink.send({ kind: "play" });
  }

  #failed(error: unknown): void {
    this.#opening = false;
    this.#wanted = false;
    this.#phase.value = this.#frames > 0 ? "ready" : "empty";
    leaveFloor(this.#voice, false);
    console.error("[cellvoice] the reply's sound cannot be played here", error);
    if (this.#released) this.#closeWhenIdle();
  }

  #hear(message: FromPlayback): void {
    const report = this.#reportToFill();
    if (message.kind === "first") {
      report.first_sound_ms ??= message.at_ms - this.#asked_ms;
      return;
    }
    report.underruns = message.underruns;
    report.rendered_frames = message.rendered_frames;
    // A new worklet reports once before it has read its first message.
    if (message.state === "paused" && message.rendered_frames === 0) return;
    this.#position_s.value = message.position_frames / this.#rate_hz;
    if (message.state === "ended") this.#end(message.start_buffer_s, message.underruns);
  }

  #end(start_buffer_s: number, underruns: number): void {
    pageAudio().start_buffer_s = underruns > 0 ? start_buffer_s : start_buffer_s * CALMER;
    this.#wanted = false;
    this.#phase.value = "ended";
    this.#dropSink();
    this.#rest();
    leaveFloor(this.#voice, false);
    if (this.#released) this.#closeWhenIdle();
  }

  #hold(): void {
    this.#stopWaiting();
    this.#wanted = false;
    this.#sink?.send({ kind: "pause" });
    if (this.#phase.value === "playing") this.#phase.value = "paused";
    this.#rest();
    if (this.#released) this.#closeWhenIdle();
  }

  #seekTo(position_s: number): void {
    this.#position_s.value = Math.max(0, Math.min(position_s, this.#duration_s.value));
    this.#sink?.send({ kind: "seek", frame: Math.round(this.#position_s.value * this.#rate_hz) });
    if (this.#phase.value === "ended") this.#phase.value = this.#wanted ? "playing" : "paused";
  }

  /** Sound that does not play and can be had again need not be kept for ever. */
  #rest(): void {
    if (this.#finished && !this.#wanted && this.#frames > 0 && this.#load !== null) shelve(this.#kept);
  }

  #drop(): void {
    this.#dropSink();
    this.#pieces = [];
    this.#frames = 0;
  }

  #dropSink(): void {
    this.#sink?.close();
    this.#sink = null;
  }

  /** A player that nobody shows lives only as long as it sounds or will sound. */
  #closeWhenIdle(): void {
    const { speaking, waiting } = pageAudio();
    if (speaking !== this.#voice && !waiting.includes(this.#voice) && this.#watchers.size === 0) this.close();
  }

  #reportToFill(): PlaybackReport {
    if (this.#report !== null) return this.#report;
    const { reports } = pageAudio();
    this.#report = { turn: this.#turn, first_sound_ms: null, underruns: 0, rendered_frames: 0 };
    reports.push(this.#report);
    if (reports.length > MAX_REPORTS) reports.shift();
    return this.#report;
  }

  /** From the first sound on, another bundle on the page can go on with it. */
  #announce(): void {
    const { live } = pageAudio();
    if (this.#announced) return;
    this.#announced = true;
    this.#echo = live.has(this.#turn);
    if (this.#echo) return;
    const sound = liveSoundOf(this, (run) => {
      this.#watchers.add(run);
      return () => {
        this.#watchers.delete(run);
        if (this.#released) this.#closeWhenIdle();
      };
    });
    live.set(this.#turn, sound);
    this.#scope.add(() => {
      if (live.get(this.#turn) === sound) live.delete(this.#turn);
    });
  }
}

/** The same clock as the worklet's `Date.now()`, but finer. */
function wallClock_ms(): number {
  return performance.timeOrigin + performance.now();
}
