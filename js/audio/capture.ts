/** The microphone, from a click to 50 ms frames of pcm16 at 24 kHz; the light is off when it is over. */

import { pageClock, Scope } from "../core/scope";
import { deviceContext, loadWorklet, pageAudio, pageContext, WorkletRefused } from "./context";
import captureSource from "./capture-worklet.ts?worklet";
import type { FromCapture, ToCapture } from "./messages";
import { RefusedError } from "./refusals";

/** A worklet on a closed or starved context never answers; what has come until then is the recording. */
const LAST_FRAMES_MS = 1_000;

export type CapturedFrames = Extract<FromCapture, { kind: "frames" }>;

export interface CaptureOptions {
  /** Noise suppression, echo cancellation and gain control all on: for talk, not for measurement. */
  readonly noisyRoom: boolean;
  readonly frames: (frames: CapturedFrames) => void;
  /** The device is gone (unplugged, or taken by the system); `stop` still gives what was recorded. */
  readonly lost: () => void;
}

export interface CaptureEnd {
  readonly frames: number;
  readonly discarded_frames: number;
}

/** A running recording. */
export interface Capture {
  readonly device: string;
  /** End it and get the rest; safe to call twice. */
  stop(): Promise<CaptureEnd>;
  /** End it at once, without the rest. */
  abandon(): void;
}

/** Opens a microphone; a seam for tests, where there is none. */
export type OpenMicrophone = (options: CaptureOptions) => Promise<Capture>;

/** Ask for the microphone and record. Call it from a click. Rejects with the browser's own error. */
export const openMicrophone: OpenMicrophone = async (options) => {
  const page = pageAudio();
  if (page.microphone !== null)
    throw new RefusedError("MicrophoneInUse", "another recorder holds the microphone");
  const scope = new Scope();
  const lease = {};
  page.microphone = lease;
  scope.add(() => {
    if (page.microphone === lease) page.microphone = null;
  });
  try {
    return await record(options, scope);
  } catch (error) {
    scope.close();
    if (error instanceof WorkletRefused) throw new RefusedError("WorkletRefused", error.message);
    throw error;
  }
};

/** What the browser is asked for: the plain signal, save the echo of a reply that plays meanwhile. */
export function microphoneConstraints(noisyRoom: boolean, replyPlays: boolean): MediaTrackConstraints {
  return {
    channelCount: 1,
    echoCancellation: noisyRoom || replyPlays,
    noiseSuppression: noisyRoom,
    autoGainControl: noisyRoom,
  };
}

async function record(options: CaptureOptions, scope: Scope): Promise<Capture> {
  // Both are asked in the click's own task: browsers count a gesture only for a moment.
  const context = pageContext();
  const resumed = context.resume();
  const audio = microphoneConstraints(options.noisyRoom, pageAudio().speaking !== null);
  const stream = await navigator.mediaDevices.getUserMedia({ audio, video: false });
  for (const track of stream.getTracks()) scope.add(() => track.stop());
  await resumed;
  const source = await connectable(context, stream, scope);
  scope.add(() => source.disconnect());
  const name = await loadWorklet(source.context as AudioContext, captureSource);
  const node = new AudioWorkletNode(source.context, name, { numberOfOutputs: 0 });
  scope.add(() => node.disconnect());
  const [track] = stream.getAudioTracks();
  if (track !== undefined) scope.listen(track, "ended", () => options.lost(), { once: true });
  source.connect(node);
  return running(node, scope, options, track?.label ?? "");
}

/** Firefox refuses a microphone on a context whose rate is not the device's; then the framer resamples. */
async function connectable(
  context: AudioContext,
  stream: MediaStream,
  scope: Scope,
): Promise<MediaStreamAudioSourceNode> {
  try {
    return context.createMediaStreamSource(stream);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "NotSupportedError") throw error;
    const own = deviceContext();
    scope.add(() => void own.close());
    await own.resume();
    return own.createMediaStreamSource(stream);
  }
}

function running(node: AudioWorkletNode, scope: Scope, options: CaptureOptions, device: string): Capture {
  let captured = 0;
  let ending: Promise<CaptureEnd> | null = null;
  let finished: (end: CaptureEnd) => void = () => undefined;
  node.port.onmessage = (event: MessageEvent<FromCapture>) => {
    if (scope.closed) return;
    if (event.data.kind === "done") {
      finished(event.data);
      return;
    }
    captured = event.data.start_frame + event.data.pcm.length;
    options.frames(event.data);
  };
  scope.add(() => {
    node.port.onmessage = null;
  });
  const flush = async (): Promise<CaptureEnd> => {
    const end = await new Promise<CaptureEnd>((resolve) => {
      finished = resolve;
      scope.add(pageClock.after(LAST_FRAMES_MS, () => resolve({ frames: captured, discarded_frames: 0 })));
      scope.add(() => resolve({ frames: captured, discarded_frames: 0 }));
      node.port.postMessage({ kind: "stop" } satisfies ToCapture);
    });
    scope.close();
    return end;
  };
  return {
    device,
    stop: () => (ending ??= flush()),
    abandon: () => scope.close(),
  };
}
