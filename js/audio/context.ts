/** What all widgets of a page share: one AudioContext, the microphone's lease, and whose turn it is to play. */

import type { Loop, Samples } from "../core/ports";
import { SERVICE_RATE_HZ } from "./pcm";
import { FIRST_START_BUFFER_S } from "./ring";
import type { Kept } from "./shelf";

/** Something that can hold the floor. Plain functions, because each widget instance has its own copy of this module. */
export interface Voice {
  /** Begin, now that the floor is free. */
  start(): void;
  /** Another one speaks now. */
  yield(): void;
}

/** A live reply's sound, by plain functions; another bundle on the page can follow it (`adoptPlayer`). */
export interface LiveSound {
  state(): { readonly phase: string; readonly position_s: number; readonly duration_s: number };
  watch(run: () => void): () => void;
  play(): void;
  pause(): void;
  seek(position_s: number): void;
  /** These may be missing: the other bundle may be an older one. */
  shape?(): { readonly speed: number; readonly loop: Loop | null };
  setSpeed?(speed: number): void;
  setLoop?(loop: Loop | null): void;
  samples?(): Promise<Samples | null>;
  /** Where it can be had again, once its widget is gone. */
  offer?(duration_s: number, load: () => Promise<Int16Array | null>): void;
}

/** What the audio thread saw of one reply. */
export interface PlaybackReport {
  readonly turn: string;
  /** From the arrival of the first sound to the first sample rendered that is not zero. */
  first_sound_ms: number | null;
  underruns: number;
  rendered_frames: number;
}

export interface PageAudio {
  context: AudioContext | null;
  /** Every streamed sound goes through this node, so that what is heard can be measured. */
  output: GainNode | null;
  readonly worklets: Map<string, Promise<void>>;
  speaking: Voice | null;
  readonly waiting: Voice[];
  /** Ends the recording that holds the microphone, or null. */
  microphone: object | null;
  /** Learned from the pauses seen so far; the next reply begins with it. */
  start_buffer_s: number;
  readonly live: Map<string, LiveSound>;
  readonly reports: PlaybackReport[];
  /** Sounds at rest, the one that was heard last at the end; an older bundle has made none. */
  shelf?: Kept[];
}

const PAGE = Symbol.for("cellvoice.audio.v1");

/** The page's shared audio; the first widget makes it. */
export function pageAudio(): PageAudio {
  const page = globalThis as { [PAGE]?: PageAudio | undefined };
  page[PAGE] ??= {
    context: null,
    output: null,
    worklets: new Map(),
    speaking: null,
    waiting: [],
    microphone: null,
    start_buffer_s: FIRST_START_BUFFER_S,
    live: new Map(),
    reports: [],
  };
  return page[PAGE];
}

/** The page's context, at the service's rate where the browser can do that. */
export function pageContext(page: PageAudio = pageAudio()): AudioContext {
  if (page.context === null || page.context.state === "closed") {
    page.worklets.clear();
    page.context = makeContext();
    page.output = page.context.createGain();
    page.output.connect(page.context.destination);
  }
  return page.context;
}

function makeContext(): AudioContext {
  try {
    return new AudioContext({ sampleRate: SERVICE_RATE_HZ, latencyHint: "interactive" });
  } catch {
    return new AudioContext({ latencyHint: "interactive" });
  }
}

/** A second context at the device's own rate: Firefox connects a microphone to no other. The caller closes it. */
export function deviceContext(): AudioContext {
  return new AudioContext({ latencyHint: "interactive" });
}

/** The sentence for a page whose content policy allows no worklet at all. */
export class WorkletRefused extends Error {
  override readonly name = "WorkletRefused";
}

/** Load a worklet's source into a context and return its processor's name; once for each context and source. */
export async function loadWorklet(
  context: AudioContext,
  source: string,
  page: PageAudio = pageAudio(),
): Promise<string> {
  const name = `cellvoice-${fingerprint(source)}`;
  if (context !== page.context) {
    await addModule(context, source, name);
    return name;
  }
  let loading = page.worklets.get(name);
  if (loading === undefined) {
    loading = addModule(context, source, name);
    page.worklets.set(name, loading);
    loading.catch(() => page.worklets.delete(name));
  }
  await loading;
  return name;
}

/** A content policy may forbid blob: addresses and allow data: ones; both are tried before giving up. */
async function addModule(context: AudioContext, source: string, name: string): Promise<void> {
  const text = `const CELLVOICE_PROCESSOR=${JSON.stringify(name)};${source}`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    await context.audioWorklet.addModule(url);
    return;
  } catch (blobError) {
    console.warn("[cellvoice] no audio worklet from a blob: address, trying data:", blobError);
  } finally {
    URL.revokeObjectURL(url);
  }
  try {
    await context.audioWorklet.addModule(`data:text/javascript;charset=utf-8,${encodeURIComponent(text)}`);
  } catch (dataError) {
    const reason = dataError instanceof Error ? dataError.message : String(dataError);
    throw new WorkletRefused(`this page's content policy allows no audio worklet (${reason})`);
  }
}

/** Two versions of cellvoice on one page must not take each other's processors (FNV-1a). */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(16);
}

/** Speak now; whoever spoke, and whoever waited, gives way. */
export function takeFloor(voice: Voice, page: PageAudio = pageAudio()): void {
  const before = page.speaking;
  const others = page.waiting.splice(0);
  page.speaking = voice;
  // Those that waited are told, too: what nobody shows any more ends now.
  for (const other of [before, ...others]) if (other !== voice) other?.yield();
  voice.start();
}

/** Speak when those before have ended: replies that start by themselves do not talk over each other. */
export function waitForFloor(voice: Voice, page: PageAudio = pageAudio()): void {
  if (page.speaking === voice || page.waiting.includes(voice)) return;
  if (page.speaking === null) takeFloor(voice, page);
  else page.waiting.push(voice);
}

/** Stop speaking or waiting. `quiet`: the listener wants silence, so those who wait do not begin either. */
export function leaveFloor(voice: Voice, quiet: boolean, page: PageAudio = pageAudio()): void {
  const place = page.waiting.indexOf(voice);
  if (place >= 0) page.waiting.splice(place, 1);
  if (page.speaking !== voice) return;
  page.speaking = null;
  const [next, ...others] = page.waiting.splice(0);
  if (next === undefined) return;
  if (quiet) {
    for (const other of [next, ...others]) other.yield();
    return;
  }
  takeFloor(next, page);
  page.waiting.push(...others);
}
