/** Ports that do nothing but stand in a given state. */

import { signal } from "@preact/signals";
import params from "../../tests/contract/pad_settings.v1.json";
import { Part } from "../core/document";
import type { RawEvents } from "../core/raw-events";
import { readSettings, written } from "../core/settings";
import type { Loop, Samples } from "../core/ports";
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

/** What the shortest spoken reply is made of, refused once, with a hole in the middle. */
const EVENTS: RawEvents = {
  events: [
    '{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}',
    ...[
      '"choices":[{"index":0,"delta":{"role":"assistant","refusal":null},"finish_reason":null}],"usage":null',
      '"choices":[{"index":0,"delta":{"content":null,"audio":{"id":"audio_6a23","transcript":"In Zürich"}}}]',
      ...Array.from({ length: 14 }, () => '"usage":null'),
      '"choices":[{"index":0,"delta":{"audio":{"data":"⟨pcm16 0.35 s⟩"}},"finish_reason":null}],"usage":null',
      '"choices":[{"index":0,"delta":{"audio":{"expires_at":1795346201}},"finish_reason":null}],"usage":null',
      '"choices":[],"usage":{"prompt_tokens":134,"completion_tokens":57,"total_tokens":191}',
    ].map((rest) => `{"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-audio",${rest}}`),
    "[DONE]",
  ].map((text, index) => ({
    at_s: 0.31 + index * 0.043,
    round: index < 5 ? 1 : 2,
    status: index === 0 ? 429 : null,
    size_bytes: text.includes("pcm16") ? 22_640 : text.length,
    text,
  })),
  left_out: 812,
  left_out_at: 9,
  why: "",
};

const nothing = (): void => undefined;

/** Something like the loudness of speech, the same every time. */
export function speechPeaks(amount: number, seed = 1): number[] {
  return Array.from({ length: amount }, (_, index) => {
    const word = Math.max(0, Math.sin(index * 0.31 + seed) + 0.35);
    const grain = 0.6 + 0.4 * Math.sin(index * 12.9898 * seed) * Math.cos(index * 4.1);
    return Math.min(1, 0.02 + 0.62 * word * grain);
  });
}

export function fakePlayer(phase: PlayerPhase, duration_s: number, position_s = 0): PlayerPort {
  const now = signal(phase);
  const position = signal(position_s);
  const speed = signal(1);
  const loop = signal<Loop | null>(null);
  return {
    phase: now,
    position_s: position,
    duration_s: signal(duration_s),
    play: () => void (now.value = "playing"),
    pause: () => void (now.value = "paused"),
    seek: (to_s) => void (position.value = to_s),
    speed,
    setSpeed: (to) => void (speed.value = to),
    loop,
    setLoop: (to) => void (loop.value = to),
    samples: () => Promise.resolve(hum(duration_s)),
    file: () => Promise.resolve(null),
  };
}

/** Something like a voice: a falling tone with its overtones, in words. */
export function hum(duration_s: number): Samples {
  const sample_rate_hz = 24_000;
  let phase = 0;
  const pcm = Int16Array.from({ length: Math.round(duration_s * sample_rate_hz) }, (_, frame) => {
    const at_s = frame / sample_rate_hz;
    phase += (2 * Math.PI * (170 - 30 * Math.sin(at_s * 2.1))) / sample_rate_hz;
    const word = Math.max(0, Math.sin(at_s * 9) + 0.4);
    let sum = 0;
    for (let tone = 1; tone < 24; tone += 1)
      sum += Math.sin(phase * tone) / (tone + Math.abs(tone - 8 - 5 * Math.sin(at_s * 5)));
    return sum * word * 6_000;
  });
  return { pcm, sample_rate_hz };
}

export function fakeRecorder(phase: RecorderPhase, extra: Partial<RecorderPort> = {}): RecorderPort {
  return {
    phase: signal(phase),
    level_dbfs: signal(-100),
    clipped: signal(false),
    elapsed_s: signal(0),
    peaks: signal<readonly number[]>([]),
    preview: signal(null),
    start: nothing,
    stop: nothing,
    discard: nothing,
    upload: nothing,
    ...extra,
  };
}

export function fakeTurn(card: TurnCard, player: PlayerPort, progress_s = 0): TurnPort {
  const choices = [null, ...(card.other_choices?.choices ?? [])].map((choice) =>
    choice?.sound ? fakePlayer("ready", choice.sound.duration_s) : null,
  );
  const said = card.input.map((part) =>
    part.kind === "sound" ? fakePlayer("ready", part.duration_s) : null,
  );
  return {
    card: signal(card),
    player,
    progress_s: signal(progress_s),
    stop: nothing,
    said: (part) => said[part] ?? null,
    choice: (index) => choices[index] ?? null,
    decide: () => Promise.resolve(""),
    allLogprobs: () => Promise.resolve("the gallery has no kernel"),
    rawEvents: () => Promise.resolve(EVENTS),
    version: () => Promise.resolve(fakeTurn(card, player)),
  };
}

export const REAL: PadState = {
  model: "gpt-audio",
  voice: "alloy",
  badge: "",
  notice: "",
  price: {
    input_usd_per_s: 0.00032,
    output_usd_per_s: 0.00128,
    history_tokens: 214,
    history_usd: 0.0031,
  },
  cost_usd: 0.0142,
  budget: { limit_usd: 0.5, left_usd: 0.4858 },
  journal: "cellvoice_journal/20261123T101458-k3f9",
  settings: readSettings(new Part(params, "settings")),
};

export const ENGINE: PadState = {
  ...REAL,
  model: "cellvoice-engine-1",
  badge: "embedded engine, not gpt-audio",
  price: { input_usd_per_s: 0, output_usd_per_s: 0, history_tokens: 214, history_usd: 0 },
  cost_usd: 0,
  budget: null,
};

interface PadParts {
  readonly state?: PadState;
  readonly link?: LinkPhase;
  readonly turns?: readonly TurnPort[];
  readonly recorder?: RecorderPort;
  readonly trouble?: string;
}

export function fakePad(parts: PadParts): PadPort {
  const state = signal(parts.state ?? REAL);
  return {
    state,
    link: signal(parts.link ?? "open"),
    turns: signal(parts.turns ?? []),
    recorder: parts.recorder ?? fakeRecorder({ kind: "idle" }),
    trouble: signal(parts.trouble ?? ""),
    draft: signal(""),
    sendText: nothing,
    sendTake: nothing,
    set: (values) => {
      const settings = state.peek().settings;
      if (values["temperature"] !== undefined && Number(values["temperature"]) > 2)
        return Promise.resolve(`temperature=${written(values["temperature"])}: expected a number in 0…2`);
      if (settings === null) return Promise.resolve("");
      const now = new Map(settings.values);
      for (const [name, value] of Object.entries(values)) {
        if (value === null) now.delete(name);
        else now.set(name, value);
      }
      state.value = { ...state.peek(), settings: { ...settings, values: now } };
      return Promise.resolve("");
    },
  };
}

export function fakeListen(
  phase: "ready" | "late" | "closed",
  sentence: string,
  state: PadState = REAL,
): ListenPort {
  return {
    state: signal(state),
    link: signal<LinkPhase>("open"),
    phase: signal(phase),
    sentence: signal(sentence),
    turn: signal(null),
    recorder: fakeRecorder({ kind: "idle" }),
    trouble: signal(""),
    sendTake: nothing,
  };
}
