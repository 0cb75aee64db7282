/** Ports whose signals a test turns by hand, and which write down what they were asked to do. */

import { signal, type Signal } from "@preact/signals";
import { wavOf } from "../audio/wav";
import type { Logprobs } from "../core/details";
import type { Loop, Samples } from "../core/ports";
import type { RawEvents } from "../core/raw-events";
import type { Json } from "../core/settings";
import type {
  LinkPhase,
  ListenPort,
  PadPort,
  PadState,
  PlayerPhase,
  PlayerPort,
  RecorderPhase,
  RecorderPort,
  TurnCard,
  TurnPort,
} from "../core";

export class FakePlayer implements PlayerPort {
  readonly asked: string[] = [];
  readonly phase: Signal<PlayerPhase>;
  readonly position_s = signal(0);
  readonly duration_s: Signal<number>;

  constructor(phase: PlayerPhase = "ready", duration_s = 2) {
    this.phase = signal(phase);
    this.duration_s = signal(duration_s);
  }

  play(): void {
    this.asked.push("play");
    this.phase.value = "playing";
  }

  pause(): void {
    this.asked.push("pause");
    this.phase.value = "paused";
  }

  readonly speed = signal(1);
  readonly loop = signal<Loop | null>(null);
  /** What `samples` and `file` give. */
  held: Samples | null = null;

  setSpeed(speed: number): void {
    this.asked.push(`speed ${speed}`);
    this.speed.value = speed;
  }

  setLoop(loop: Loop | null): void {
    this.asked.push(loop === null ? "no loop" : `loop ${loop.from_s.toFixed(1)} ${loop.to_s.toFixed(1)}`);
    this.loop.value = loop;
  }

  samples(): Promise<Samples | null> {
    return Promise.resolve(this.held);
  }

  file(): Promise<Blob | null> {
    return Promise.resolve(this.held && wavOf(this.held));
  }

  seek(position_s: number): void {
    this.asked.push(`seek ${position_s.toFixed(1)}`);
    this.position_s.value = position_s;
  }
}

export class FakeRecorder implements RecorderPort {
  readonly asked: string[] = [];
  readonly phase = signal<RecorderPhase>({ kind: "idle" });
  readonly level_dbfs = signal(-100);
  readonly clipped = signal(false);
  readonly elapsed_s = signal(0);
  readonly peaks = signal<readonly number[]>([]);
  readonly preview = signal<PlayerPort | null>(null);

  start(): void {
    this.asked.push("start");
    this.phase.value = { kind: "recording" };
  }

  stop(): void {
    this.asked.push("stop");
    this.phase.value = { kind: "saving" };
  }

  discard(): void {
    this.asked.push("discard");
    this.phase.value = { kind: "idle" };
  }

  upload(file: File): void {
    this.asked.push(`upload ${file.name}`);
  }

  /** The kernel has all frames. */
  confirm(sentence = ""): void {
    this.phase.value = { kind: "review", take: { take: "t1", duration_s: 2, peaks: [0.1, 0.5], sentence } };
  }
}

export class FakeTurn implements TurnPort {
  readonly asked: string[] = [];
  readonly card: Signal<TurnCard>;
  readonly progress_s = signal(0);

  constructor(
    card: TurnCard,
    readonly player = new FakePlayer(),
  ) {
    this.card = signal(card);
  }

  stop(): void {
    this.asked.push("stop");
  }

  /** Players of what was said, by its part. */
  readonly sounds = new Map<number, FakePlayer>();
  said(part: number): PlayerPort | null {
    return this.sounds.get(part) ?? null;
  }

  /** Players of the other choices, by their index. */
  readonly choices = new Map<number, FakePlayer>();
  choice(index: number): PlayerPort | null {
    return this.choices.get(index) ?? null;
  }

  /** What the kernel says of the next decision; "" takes it. */
  refusal = "";
  decide: TurnPort["decide"] = (call, decision) => {
    this.asked.push(`${call.name} ${JSON.stringify(decision)}`);
    return Promise.resolve(this.refusal);
  };
  /** What the kernel has of its probabilities. */
  all: Logprobs | string = "there are none";
  allLogprobs: TurnPort["allLogprobs"] = () => Promise.resolve(this.all);
  /** What the kernel has of what came over the wire. */
  events: RawEvents | string = "there are none";
  rawEvents: TurnPort["rawEvents"] = () => {
    this.asked.push("events");
    return Promise.resolve(this.events);
  };
  /** The other versions of the turn, by their ids. */
  readonly others = new Map<string, TurnPort>();
  version: TurnPort["version"] = (id) => {
    this.asked.push(`version ${id}`);
    return Promise.resolve(this.others.get(id) ?? `there is no turn ${id}`);
  };
}

export const STATE: PadState = {
  model: "gpt-audio",
  voice: "alloy",
  badge: "",
  notice: "",
  price: { input_usd_per_s: 0.001, output_usd_per_s: 0.002, history_tokens: 0, history_usd: 0 },
  cost_usd: 0.0142,
  budget: null,
  journal: "cellvoice_journal/a",
  settings: null,
};

export class FakePad implements PadPort {
  readonly sent: string[] = [];
  readonly state = signal(STATE);
  readonly link = signal<LinkPhase>("open");
  readonly turns = signal<readonly TurnPort[]>([]);
  readonly recorder = new FakeRecorder();
  readonly trouble = signal("");
  readonly asked: string[] = [];
  /** What the kernel says of the next values; "" takes them. */
  refusal = "";

  set(values: Readonly<Record<string, Json>>): Promise<string> {
    this.asked.push(JSON.stringify(values));
    const { settings } = this.state.peek();
    if (this.refusal === "" && settings !== null) {
      const now = new Map(settings.values);
      for (const [name, value] of Object.entries(values)) {
        if (value === null) now.delete(name);
        else now.set(name, value);
      }
      this.state.value = { ...this.state.peek(), settings: { ...settings, values: now } };
    }
    return Promise.resolve(this.refusal);
  }

  readonly draft = signal("");

  sendText(text: string): void {
    this.sent.push(`text ${text}`);
  }

  sendTake(take: string): void {
    this.sent.push(`take ${take}`);
  }
}

export class FakeListen implements ListenPort {
  readonly sent: string[] = [];
  readonly state = signal(STATE);
  readonly link = signal<LinkPhase>("open");
  readonly phase = signal<"ready" | "late" | "closed">("ready");
  readonly sentence = signal("");
  readonly turn = signal<TurnPort | null>(null);
  readonly recorder = new FakeRecorder();
  readonly trouble = signal("");

  sendTake(take: string): void {
    this.sent.push(`take ${take}`);
  }
}
