// @vitest-environment node
import { describe, expect, it, test } from "vitest";
import { PlaybackRing } from "../audio/ring";
import { Stretch } from "../audio/stretch";
import { wavOf } from "../audio/wav";

const RATE_HZ = 24_000;

const tone = (frame: number): number => (frame < 0 ? 0 : Math.sin((2 * Math.PI * 200 * frame) / RATE_HZ));

/** How often a signal goes up through zero in a second. */
function pitch_hz(frames: readonly number[]): number {
  let rises = 0;
  for (let index = 1; index < frames.length; index += 1)
    if ((frames[index - 1] ?? 0) < 0 && (frames[index] ?? 0) >= 0) rises += 1;
  return (rises / frames.length) * RATE_HZ;
}

describe.each([0.5, 0.75, 1.25, 1.5, 2])("at speed %f", (speed) => {
  it("a tone keeps its pitch and its loudness", () => {
    const stretch = new Stretch(tone, speed, RATE_HZ);
    const frames = Array.from({ length: RATE_HZ }, (_, index) => stretch.at(index));
    expect(Math.abs(pitch_hz(frames) - 200)).toBeLessThan(3);
    const power = frames.reduce((sum, frame) => sum + frame * frame, 0) / frames.length;
    expect(power).toBeGreaterThan(0.45);
    expect(power).toBeLessThan(0.51);
  });

  it("a mark in the sound comes when it should", () => {
    const mark = 12_000;
    const stretch = new Stretch((frame) => (frame >= mark ? 0.5 : 0), speed, RATE_HZ);
    const frames = Array.from({ length: 40_000 }, (_, index) => stretch.at(index));
    const found = frames.findIndex((frame) => frame > 0.25);
    expect(Math.abs(found - mark / speed)).toBeLessThan(RATE_HZ * 0.03);
  });

  it("never needs a frame beyond what it says is enough", () => {
    const known = 9_000;
    let furthest = 0;
    const stretch = new Stretch(
      (frame) => ((furthest = Math.max(furthest, frame)), tone(frame)),
      speed,
      RATE_HZ,
    );
    const ready = stretch.ready(known);
    for (let index = 0; index < ready; index += 1) stretch.at(index);
    expect(ready).toBeGreaterThan(0);
    expect(furthest).toBeLessThan(known);
  });
});

function ringWith(pcm: Int16Array): PlaybackRing {
  const ring = new PlaybackRing(RATE_HZ, RATE_HZ, 0.1);
  ring.feed(0, pcm);
  ring.finish();
  ring.play();
  return ring;
}

const ramp = (frames: number): Int16Array => Int16Array.from({ length: frames }, (_, index) => index + 1);

/** Render until it ends, at most `most` frames. */
function heardOf(ring: PlaybackRing, most: number): number[] {
  const heard: number[] = [];
  while (heard.length < most && ring.state !== "ended") {
    const out = new Float32Array(128);
    heard.push(...out.subarray(0, ring.render(out)));
  }
  return heard;
}

test("twice as fast is half as long, and the position follows the sound", () => {
  const ring = ringWith(ramp(24_000));
  heardOf(ring, 6_000);
  const before = ring.position_frames;
  ring.setSpeed(2);
  expect([ring.state, ring.position_frames]).toEqual(["playing", before]);
  const rest = heardOf(ring, 48_000);
  expect(ring.state).toBe("ended");
  expect(Math.abs(rest.length - (24_000 - before) / 2)).toBeLessThan(130);
  expect(ring.position_frames).toBe(24_000);
});

test("a loop goes round inside its part and on to the end when it is lifted", () => {
  const ring = ringWith(ramp(24_000));
  ring.setLoop({ from: 4_800, to: 9_600 });
  const heard = heardOf(ring, 24_000).map((sample) => Math.round(sample * 32_768));
  expect(Math.max(...heard)).toBeLessThan(9_600 + 129);
  expect(heard.filter((sample) => sample === 4_801)).toHaveLength(4);
  ring.setLoop(null);
  heardOf(ring, 48_000);
  expect(ring.state).toBe("ended");
});

test("a loop to the very end begins again there", () => {
  const ring = ringWith(ramp(6_000));
  ring.setLoop({ from: 3_000, to: 6_000 });
  expect(heardOf(ring, 20_000).length).toBeGreaterThanOrEqual(20_000);
  expect(ring.state).toBe("playing");
});

test("a WAV file has its header and its samples", async () => {
  const file = wavOf({ pcm: Int16Array.from([1, -2]), sample_rate_hz: RATE_HZ });
  const bytes = new DataView(await file.arrayBuffer());
  const name = (at: number): string =>
    String.fromCharCode(...[0, 1, 2, 3].map((next) => bytes.getUint8(at + next)));
  expect([name(0), name(8), name(36)]).toEqual(["RIFF", "WAVE", "data"]);
  expect([bytes.getUint32(24, true), bytes.getUint32(40, true)]).toEqual([RATE_HZ, 4]);
  expect([bytes.getInt16(44, true), bytes.getInt16(46, true)]).toEqual([1, -2]);
});
