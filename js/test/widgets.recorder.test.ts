import { expect, test, vi } from "vitest";
import type { Capture, CaptureOptions, OpenMicrophone } from "../audio/capture";
import { Scope } from "../core/scope";
import { Channel } from "../rpc";
import { Recorder, type RecorderParts } from "../widgets/recorder";
import { HandClock } from "./hand-clock";
import { settled } from "./ring-speakers";
import { ScriptedKernel } from "./scripted-kernel";

/** A microphone that a test speaks into. */
class Microphone {
  options: CaptureOptions | null = null;
  abandoned = false;
  #frames = 0;
  #answer: { resolve: (capture: Capture) => void; reject: (error: unknown) => void } | null = null;

  readonly open: OpenMicrophone = (options) => {
    this.options = options;
    this.abandoned = false;
    this.#frames = 0;
    return new Promise((resolve, reject) => (this.#answer = { resolve, reject }));
  };

  async allow(): Promise<void> {
    this.#answer?.resolve({
      device: "A microphone",
      stop: () => Promise.resolve({ frames: this.#frames, discarded_frames: 0 }),
      abandon: () => (this.abandoned = true),
    });
    await settled();
  }

  async deny(name: string): Promise<void> {
    this.#answer?.reject(new DOMException("Permission denied", name));
    await settled();
  }

  speak(count: number, peak = 0.5): void {
    for (let index = 0; index < count; index += 1) {
      const pcm = new Int16Array(1_200).fill(this.#frames / 1_200 + 1);
      const clipped = peak >= 0.999;
      this.options?.frames({
        kind: "frames",
        start_frame: this.#frames,
        pcm,
        level_dbfs: -20,
        peak,
        clipped,
      });
      this.#frames += pcm.length;
    }
  }
}

function setUp(parts: RecorderParts = {}) {
  const clock = new HandClock();
  const kernel = new ScriptedKernel(clock);
  const scope = new Scope();
  const channel = new Channel(kernel, scope, { clock });
  clock.advance(300);
  const microphone = new Microphone();
  const recorder = new Recorder(channel, scope, { openMicrophone: microphone.open, ...parts });
  const names = (): string[] => {
    clock.advance(2_000);
    return kernel.heard.map((heard) => heard.name);
  };
  const ready = (take: unknown): void =>
    recorder.ready({ take: String(take), duration_s: 0.1, peaks: [0.5], sentence: "" });
  return { clock, kernel, scope, channel, microphone, recorder, names, ready };
}

async function recorded(rig: ReturnType<typeof setUp>, frames = 2): Promise<unknown> {
  rig.recorder.start();
  await rig.microphone.allow();
  rig.microphone.speak(frames);
  rig.recorder.stop();
  await settled();
  rig.clock.advance(300);
  return rig.kernel.heard.at(-1)?.data["take"];
}

test("frames go to the kernel while they are spoken, and a stop tells how many there were", async () => {
  const rig = setUp();
  const { recorder, microphone, clock, kernel } = rig;
  recorder.start();
  expect(recorder.phase.value.kind).toBe("asking");
  await microphone.allow();
  expect(recorder.phase.value.kind).toBe("recording");
  microphone.speak(3);
  clock.advance(100);
  expect(kernel.heard.map((heard) => heard.name)).toEqual([
    "record.start",
    "record.frames",
    "record.frames",
    "record.frames",
  ]);
  expect(kernel.heard[0]?.data).toMatchObject({ sample_rate_hz: 24_000, device: "A microphone" });
  expect(kernel.heard.slice(1).map((heard) => heard.data["start_frame"])).toEqual([0, 1_200, 2_400]);
  expect(recorder.elapsed_s.value).toBeCloseTo(0.15);
  expect(recorder.peaks.value).toEqual([0.5, 0.5, 0.5]);
  expect(recorder.level_dbfs.value).toBe(-20);
  recorder.stop();
  await settled();
  clock.advance(100);
  expect(recorder.phase.value.kind).toBe("saving");
  expect(kernel.heard.at(-1)).toMatchObject({ name: "record.stop", data: { frames: 3_600 } });
});

test("the take is under review when the kernel has it, with a preview of the same length", async () => {
  const rig = setUp();
  rig.ready("somebody else's while saving");
  rig.recorder.discard();
  const take = await recorded(rig, 4);
  rig.ready("another");
  expect(rig.recorder.phase.value.kind).toBe("saving");
  rig.ready(take);
  expect(rig.recorder.phase.value).toMatchObject({ kind: "review", take: { take } });
  expect(rig.recorder.preview.value?.duration_s.value).toBeCloseTo(0.2);
  rig.recorder.sent(String(take));
  expect(rig.recorder.phase.value.kind).toBe("idle");
  expect(rig.recorder.preview.value).toBeNull();
  rig.ready(take);
  expect(rig.recorder.phase.value.kind).toBe("idle");
});

test("a take from before this page was opened can still be reviewed", () => {
  const { recorder, ready } = setUp();
  ready("older");
  expect(recorder.phase.value).toMatchObject({ kind: "review", take: { take: "older" } });
});

test.each(["recording", "saving", "review"])(
  "a discard while %s tells the kernel, and a late confirmation changes nothing",
  async (kind) => {
    const rig = setUp();
    rig.recorder.start();
    await rig.microphone.allow();
    rig.microphone.speak(2);
    if (kind !== "recording") {
      rig.recorder.stop();
      await settled();
    }
    rig.clock.advance(300);
    const take = rig.kernel.heard[0]?.data["take"];
    if (kind === "review") rig.ready(take);
    expect(rig.recorder.phase.value.kind).toBe(kind);
    rig.recorder.discard();
    expect(rig.names().at(-1)).toBe("record.discard");
    expect(rig.kernel.heard.at(-1)?.data).toEqual({ take });
    rig.ready(take);
    expect(rig.recorder.phase.value.kind).toBe("idle");
    if (kind === "recording") expect(rig.microphone.abandoned).toBe(true);
  },
);

test("letting go before the microphone was allowed records nothing, and its light goes off", async () => {
  const { recorder, microphone, names } = setUp();
  recorder.start();
  recorder.stop();
  expect(recorder.phase.value.kind).toBe("idle");
  await microphone.allow();
  expect(microphone.abandoned).toBe(true);
  expect(names()).toEqual([]);
});

test("a recording without a single frame is not sent", async () => {
  const rig = setUp();
  await recorded(rig, 0);
  expect(rig.names()).toEqual(["record.start", "record.discard"]);
  expect(rig.recorder.phase.value.kind).toBe("idle");
});

test("a refusal is shown with the browser's name, and record can be pressed again", async () => {
  const { recorder, microphone, names } = setUp();
  recorder.start();
  await microphone.deny("NotFoundError");
  expect(recorder.phase.value).toMatchObject({ kind: "refused", refusal: { name: "NotFoundError" } });
  recorder.start();
  await microphone.allow();
  expect(recorder.phase.value.kind).toBe("recording");
  expect(names()).toEqual(["record.start"]);
});

test("a microphone that is unplugged ends the recording, keeps what was said, and the review says so", async () => {
  const rig = setUp();
  rig.recorder.start();
  await rig.microphone.allow();
  rig.microphone.speak(3);
  rig.microphone.options?.lost();
  await settled();
  rig.clock.advance(300);
  expect(rig.kernel.heard.at(-1)).toMatchObject({ name: "record.stop", data: { frames: 3_600 } });
  rig.ready(rig.kernel.heard[0]?.data["take"]);
  const phase = rig.recorder.phase.value;
  expect(phase.kind === "review" ? phase.take.sentence : "").toContain("microphone went away");
});

test("clipping is shown for a second and then forgotten", async () => {
  const { recorder, microphone } = setUp();
  recorder.start();
  await microphone.allow();
  microphone.speak(1, 1);
  expect(recorder.clipped.value).toBe(true);
  microphone.speak(19);
  expect(recorder.clipped.value).toBe(true);
  microphone.speak(1);
  expect(recorder.clipped.value).toBe(false);
});

test("recording again from the review gives the old take up", async () => {
  const rig = setUp();
  const take = await recorded(rig);
  rig.ready(take);
  rig.recorder.start();
  expect(rig.names().at(-1)).toBe("record.discard");
  expect(rig.recorder.phase.value.kind).toBe("asking");
});

test("closing the widget turns the microphone off", async () => {
  const { recorder, microphone, scope } = setUp();
  recorder.start();
  await microphone.allow();
  scope.close();
  expect(microphone.abandoned).toBe(true);
});

test("a noisy room is asked for when it is set", () => {
  const { recorder, microphone } = setUp({ noisyRoom: () => true });
  recorder.start();
  expect(microphone.options?.noisyRoom).toBe(true);
});

// A file that jsdom can give the bytes of.
function file(name: string, size = 4): File {
  const bytes = new Uint8Array(size).fill(7);
  return Object.assign(new File([bytes], name), { arrayBuffer: () => Promise.resolve(bytes.buffer) });
}

function withSoundElements(): void {
  vi.stubGlobal(
    "URL",
    Object.assign(URL, { createObjectURL: () => "blob:test", revokeObjectURL: () => undefined }),
  );
  vi.spyOn(HTMLMediaElement.prototype, "pause").mockImplementation(() => undefined);
  vi.spyOn(HTMLMediaElement.prototype, "load").mockImplementation(() => undefined);
}

test("an uploaded file is under review under the kernel's name for it", async () => {
  withSoundElements();
  const rig = setUp();
  rig.kernel.respond = () => ({
    kind: "result",
    data: { take: "k1", duration_s: 2, peaks: [0.1, 3], sentence: "quiet" },
  });
  rig.recorder.upload(file("question.wav"));
  await settled();
  rig.clock.advance(300);
  await settled();
  expect(rig.kernel.heard[0]).toMatchObject({ name: "upload", data: { name: "question.wav" } });
  expect(rig.kernel.heard[0]?.buffers[0]?.byteLength).toBe(4);
  const take = { take: "k1", duration_s: 2, peaks: [0.1, 1], sentence: "quiet" };
  expect(rig.recorder.phase.value).toEqual({ kind: "review", take });
  expect(rig.recorder.preview.value).not.toBeNull();
  rig.recorder.discard();
  expect(rig.names().at(-1)).toBe("record.discard");
});

test("what the kernel cannot read is decoded here and sent like a recording", async () => {
  const samples = Int16Array.from({ length: 3_000 }, (_, index) => index);
  const rig = setUp({ decode: () => Promise.resolve(samples) });
  rig.kernel.respond = () => ({
    kind: "error",
    data: { name: "AudioError", message: "webm is not read here" },
  });
  rig.recorder.upload(file("voice.webm"));
  await settled();
  rig.clock.advance(300);
  await settled();
  expect(rig.names()).toEqual([
    "upload",
    "record.start",
    "record.frames",
    "record.frames",
    "record.frames",
    "record.stop",
  ]);
  const sent = rig.kernel.heard.slice(2, 5).flatMap((heard) => Array.from(heard.buffers[0] as Int16Array));
  expect(sent).toEqual(Array.from(samples));
  expect(rig.recorder.phase.value.kind).toBe("saving");
});

test("what nobody can read is refused in the kernel's words", async () => {
  const rig = setUp({ decode: () => Promise.reject(new DOMException("", "EncodingError")) });
  rig.kernel.respond = () => ({
    kind: "error",
    data: { name: "AudioError", message: "notes.txt holds no sound." },
  });
  rig.recorder.upload(file("notes.txt"));
  await settled();
  rig.clock.advance(300);
  await settled();
  expect(rig.recorder.phase.value).toMatchObject({
    kind: "refused",
    refusal: { name: "AudioError", sentence: "notes.txt holds no sound." },
  });
});

test("a file too large for one message is decoded here from the start", async () => {
  const rig = setUp({ decode: () => Promise.resolve(new Int16Array(1_200)) });
  rig.recorder.upload(file("lecture.wav", 9 * 2 ** 20));
  await settled();
  expect(rig.names()).toEqual(["record.start", "record.frames", "record.stop"]);
});

test("an upload given up while the kernel reads it is taken back", async () => {
  const rig = setUp();
  rig.kernel.respond = () => ({
    kind: "result",
    data: { take: "k1", duration_s: 2, peaks: [], sentence: "" },
  });
  rig.recorder.upload(file("question.wav"));
  await settled();
  rig.recorder.discard();
  rig.clock.advance(300);
  await settled();
  expect(rig.names().at(-1)).toBe("record.discard");
  expect(rig.kernel.heard.at(-1)?.data).toEqual({ take: "k1" });
  expect(rig.recorder.phase.value.kind).toBe("idle");
});
