import { describe, expect, test } from "vitest";
import { StreamResampler } from "../audio/resample";
import { dice } from "./scripted-kernel";

function sine(frames: number, rate_hz: number, tone_hz: number): Float32Array {
  return Float32Array.from(
    { length: frames },
    (_, index) => 0.5 * Math.sin((2 * Math.PI * tone_hz * index) / rate_hz),
  );
}

function whole(source: Float32Array, from_hz: number, to_hz: number): Float32Array {
  const resampler = new StreamResampler(from_hz, to_hz);
  return Float32Array.from([...resampler.push(source), ...resampler.flush()]);
}

function signalToNoise_db(heard: Float32Array, wanted: Float32Array, margin: number): number {
  let power = 0;
  let noise = 0;
  for (let index = margin; index < wanted.length - margin; index += 1) {
    power += (wanted[index] ?? 0) ** 2;
    noise += ((heard[index] ?? 0) - (wanted[index] ?? 0)) ** 2;
  }
  return 10 * Math.log10(power / noise);
}

describe.each([44_100, 48_000, 16_000, 96_000])("from %i Hz to 24 kHz", (from_hz) => {
  test.each([100, 1_000, 5_000])("a tone of %i Hz stays where and what it was", (tone_hz) => {
    const heard = whole(sine(from_hz, from_hz, tone_hz), from_hz, 24_000);
    expect(heard).toHaveLength(24_000);
    expect(signalToNoise_db(heard, sine(24_000, 24_000, tone_hz), 200)).toBeGreaterThan(60);
  });

  test("the borders between pieces leave no trace", () => {
    const roll = dice(from_hz);
    const source = Float32Array.from({ length: 9_000 }, () => roll() - 0.5);
    const resampler = new StreamResampler(from_hz, 24_000);
    const pieces: number[] = [];
    for (let at = 0; at < source.length;) {
      const size = Math.floor(roll() * 400);
      pieces.push(...resampler.push(source.subarray(at, at + size)));
      at += size;
    }
    pieces.push(...resampler.flush());
    expect(Float32Array.from(pieces)).toEqual(whole(source, from_hz, 24_000));
  });
});

test("what 24 kHz cannot carry is gone instead of folded back", () => {
  const heard = whole(sine(48_000, 48_000, 15_000), 48_000, 24_000);
  expect(Math.max(...heard.subarray(200, 23_800))).toBeLessThan(0.001);
});

test("a constant stays constant", () => {
  const heard = whole(new Float32Array(4_410).fill(0.25), 44_100, 24_000);
  for (const sample of heard.subarray(60, heard.length - 60)) expect(sample).toBeCloseTo(0.25, 6);
});
