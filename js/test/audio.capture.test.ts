import { describe, expect, test } from "vitest";
import { microphoneConstraints } from "../audio/capture";
import { Framer } from "../audio/framer";
import type { FromCapture } from "../audio/messages";
import { joined, level_dbfs, samplesFromBytes, toPcm16 } from "../audio/pcm";
import { endOfLastHole, StartGate } from "../audio/start-gate";
import { dice } from "./scripted-kernel";

type Frames = Extract<FromCapture, { kind: "frames" }>;

function record(
  source: Float32Array,
  rate_hz = 24_000,
  channels = 1,
): { frames: Frames[]; end: FromCapture | undefined } {
  const posted: FromCapture[] = [];
  const framer = new Framer(rate_hz, (message) => posted.push(message));
  for (let at = 0; at < source.length; at += 128)
    framer.push(new Array<Float32Array>(channels).fill(source.subarray(at, at + 128)));
  framer.stop();
  return { frames: posted.filter((message) => message.kind === "frames"), end: posted.at(-1) };
}

function noise(frames: number, seed = 3): Float32Array {
  const roll = dice(seed);
  return Float32Array.from({ length: frames }, () => 0.01 + roll() * 0.5);
}

test("frames are 50 ms, follow each other, and together are exactly what the microphone gave", () => {
  const source = noise(24_000 + 777);
  const { frames, end } = record(source);
  expect(frames.slice(0, -1).every((frame) => frame.pcm.length === 1_200)).toBe(true);
  expect(frames.map((frame) => frame.start_frame)).toEqual(frames.map((_, index) => index * 1_200));
  expect(joined(frames.map((frame) => frame.pcm))).toEqual(toPcm16(source));
  expect(end).toEqual({ kind: "done", frames: source.length, discarded_frames: 0 });
});

test("a recording shorter than the watched start still comes out whole", () => {
  const source = noise(500);
  const { frames, end } = record(source);
  expect(joined(frames.map((frame) => frame.pcm))).toEqual(toPcm16(source));
  expect(end).toMatchObject({ frames: 500 });
});

test("the hole at the start of the worklet is discarded with what came before it, and counted", () => {
  const source = noise(12_000);
  source.fill(0, 0, 256);
  source.fill(0, 640, 1_024);
  const { frames, end } = record(source);
  expect(joined(frames.map((frame) => frame.pcm))).toEqual(toPcm16(source.subarray(1_024)));
  expect(end).toEqual({ kind: "done", frames: 12_000 - 1_024, discarded_frames: 1_024 });
});

test("silence later than the first 300 ms is a pause of the speaker and is kept", () => {
  const source = noise(24_000);
  source.fill(0, 9_000, 12_000);
  expect(record(source).end).toMatchObject({ frames: 24_000 });
});

test("a microphone that gives nothing loses 300 ms and no more", () => {
  expect(record(new Float32Array(24_000)).end).toMatchObject({
    frames: 24_000 - 57 * 128,
    discarded_frames: 57 * 128,
  });
});

test("a short run of zeros is sound, 128 in a row are a hole", () => {
  const samples = new Float32Array(1_000).fill(0.1);
  samples.fill(0, 100, 227);
  expect(endOfLastHole(samples)).toBe(0);
  samples.fill(0, 100, 228);
  expect(endOfLastHole(samples)).toBe(228);
});

test("an open gate lets everything through at once", () => {
  const gate = new StartGate(24_000, 0.01);
  gate.push(new Float32Array(240).fill(0.1));
  const piece = new Float32Array(10);
  expect(gate.push(piece)).toBe(piece);
});

test("two channels become their mean, and a device at 48 kHz gives half as many samples", () => {
  const tone = Float32Array.from(
    { length: 48_000 },
    (_, index) => 0.5 * Math.sin((2 * Math.PI * 300 * index) / 48_000),
  );
  const { frames, end } = record(tone, 48_000, 2);
  expect(end).toMatchObject({ frames: 24_000 });
  expect(frames[10]?.level_dbfs).toBeCloseTo(20 * Math.log10(0.5 / Math.SQRT2), 1);
});

test("a frame says when the converter ran out of numbers", () => {
  const source = noise(12_000);
  source[9_000] = -1;
  const clipped = record(source).frames.filter((frame) => frame.clipped);
  expect(clipped.map((frame) => frame.start_frame)).toEqual([8_400]);
  expect(clipped[0]?.peak).toBe(1);
});

describe("16-bit samples", () => {
  test("floats are rounded and clipped, and what is no number is silent", () => {
    expect([...toPcm16(Float32Array.of(0, 1, -1, 2, -2, 0.5, NaN))]).toEqual([
      0, 32_767, -32_768, 32_767, -32_768, 16_384, 0,
    ]);
  });

  test("bytes are little-endian at any offset, and an odd last byte is dropped", () => {
    const bytes = new Uint8Array([9, 1, 0, 255, 255, 0, 128, 7]);
    expect([...samplesFromBytes(new DataView(bytes.buffer, 1))]).toEqual([1, -1, -32_768]);
  });

  test("silence is −100 dBFS and a full square wave 0", () => {
    expect(level_dbfs(new Float32Array(1_200))).toBe(-100);
    expect(level_dbfs(new Float32Array(1_200).fill(1))).toBeCloseTo(0);
    expect(level_dbfs(new Float32Array(0))).toBe(-100);
  });
});

test("the browser is asked for the plain signal, save the echo of a reply, save a noisy room", () => {
  const wish = (noisy: boolean, plays: boolean) => {
    const { echoCancellation, noiseSuppression, autoGainControl } = microphoneConstraints(noisy, plays);
    return [echoCancellation, noiseSuppression, autoGainControl];
  };
  expect(wish(false, false)).toEqual([false, false, false]);
  expect(wish(false, true)).toEqual([true, false, false]);
  expect(wish(true, false)).toEqual([true, true, true]);
});
