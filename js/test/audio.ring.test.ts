import { describe, expect, test } from "vitest";
import { PlaybackRing } from "../audio/ring";
import { dice } from "./scripted-kernel";

const RATE_HZ = 24_000;
const QUANTUM = 128;

/** Samples that are never zero and never repeat within a second, so that gaps, repeats and skips all show. */
function counting(frames: number, from = 0): Int16Array {
  return Int16Array.from({ length: frames }, (_, index) => ((from + index) % 30_000) + 1);
}

function asFloats(samples: Int16Array): number[] {
  return Array.from(samples, (sample) => sample / 32_768);
}

function renderAll(ring: PlaybackRing, quanta: number): number[] {
  const heard: number[] = [];
  for (let index = 0; index < quanta; index += 1) {
    const out = new Float32Array(QUANTUM);
    ring.render(out);
    heard.push(...out);
  }
  return heard;
}

function withoutSilence(heard: readonly number[]): number[] {
  return heard.filter((sample) => sample !== 0);
}

test("what is fed is rendered sample for sample, and then it has ended", () => {
  const ring = new PlaybackRing(RATE_HZ, RATE_HZ, 0.1);
  const source = counting(5_000);
  ring.feed(0, source);
  ring.finish();
  ring.play();
  const heard = renderAll(ring, 45);
  expect(heard.slice(0, 5_000)).toEqual(asFloats(source));
  expect(heard.slice(5_000).every((sample) => sample === 0)).toBe(true);
  expect(ring.state).toBe("ended");
  expect(ring.rendered_frames).toBe(5_000);
  expect(ring.underruns).toBe(0);
});

test("nothing sounds before the start-up buffer is full, unless no more will come", () => {
  const ring = new PlaybackRing(RATE_HZ, RATE_HZ, 0.1);
  ring.play();
  ring.feed(0, counting(2_399));
  expect(withoutSilence(renderAll(ring, 3))).toEqual([]);
  ring.feed(2_399, counting(1, 2_399));
  expect(renderAll(ring, 1)).toEqual(asFloats(counting(QUANTUM)));
  const short = new PlaybackRing(RATE_HZ, RATE_HZ, 0.1);
  short.feed(0, counting(10));
  short.play();
  expect(withoutSilence(renderAll(short, 2))).toEqual([]);
  short.finish();
  expect(withoutSilence(renderAll(short, 1))).toEqual(asFloats(counting(10)));
});

describe.each(Array.from({ length: 8 }, (_, seed) => seed + 1))(
  "fed in pieces with jitter, seed %i",
  (seed) => {
    test("no sample is lost, repeated or moved, and each wait counts as one underrun", () => {
      const roll = dice(seed);
      const ring = new PlaybackRing(RATE_HZ, RATE_HZ, 0.1);
      const source = counting(29_000);
      ring.play();
      const heard: number[] = [];
      let fed = 0;
      let waits = 0;
      let sounding = false;
      while (fed < source.length) {
        const size = 1 + Math.floor(roll() * 4_000);
        ring.feed(fed, source.subarray(fed, fed + size));
        fed = Math.min(source.length, fed + size);
        for (let quanta = Math.floor(roll() * 40); quanta > 0; quanta -= 1) {
          const out = new Float32Array(QUANTUM);
          ring.render(out);
          heard.push(...out);
          if (sounding && ring.state === "filling") waits += 1;
          sounding = ring.state === "playing";
        }
      }
      ring.finish();
      heard.push(...renderAll(ring, 400));
      expect(withoutSilence(heard)).toEqual(asFloats(source));
      expect(ring.underruns).toBe(waits);
      expect(ring.state).toBe("ended");
    });
  },
);

test("an underrun doubles the start-up buffer, and a long wait raises it to its own length, up to 1.2 s", () => {
  const ring = new PlaybackRing(RATE_HZ, RATE_HZ, 0.1);
  ring.play();
  ring.feed(0, counting(2_400));
  renderAll(ring, 20);
  expect(ring.underruns).toBe(1);
  expect(ring.start_buffer_s).toBeCloseTo(0.2);
  renderAll(ring, 94);
  ring.feed(2_400, counting(4_800, 2_400));
  renderAll(ring, 1);
  expect(ring.start_buffer_s).toBeGreaterThan(0.45);
  for (let round = 0; round < 8; round += 1) {
    renderAll(ring, 400);
    ring.feed(ring.length_frames, counting(30_000));
  }
  expect(ring.start_buffer_s).toBeLessThanOrEqual(1.2);
});

test("a piece that is known is skipped, an overlap adds only what is new, and a hole becomes silence", () => {
  const ring = new PlaybackRing(RATE_HZ, RATE_HZ, 0.1);
  ring.feed(0, counting(100));
  ring.feed(0, counting(100));
  ring.feed(50, counting(100, 50));
  ring.feed(160, counting(40, 160));
  expect(ring.length_frames).toBe(200);
  ring.finish();
  ring.play();
  const heard = renderAll(ring, 2).slice(0, 200);
  expect(heard.slice(0, 150)).toEqual(asFloats(counting(150)));
  expect(heard.slice(150, 160)).toEqual(new Array(10).fill(0));
  expect(heard.slice(160)).toEqual(asFloats(counting(40, 160)));
});

test("a frame number that is absurdly far ahead takes no memory", () => {
  const ring = new PlaybackRing(RATE_HZ, RATE_HZ, 0.1);
  ring.feed(1e12, counting(10));
  expect(ring.length_frames).toBe(0);
});

test("pause keeps the place, seek goes to the sample, and play after the end begins again", () => {
  const ring = new PlaybackRing(RATE_HZ, RATE_HZ, 0.1);
  const source = counting(4_000);
  ring.feed(0, source);
  ring.finish();
  ring.play();
  const first = renderAll(ring, 4);
  ring.pause();
  expect(withoutSilence(renderAll(ring, 10))).toEqual([]);
  ring.play();
  expect([...first, ...renderAll(ring, 4)]).toEqual(asFloats(source.subarray(0, 1_024)));
  ring.seek(3_000);
  expect(renderAll(ring, 1)).toEqual(asFloats(source.subarray(3_000, 3_128)));
  renderAll(ring, 20);
  expect(ring.state).toBe("ended");
  ring.play();
  expect(renderAll(ring, 1)).toEqual(asFloats(source.subarray(0, 128)));
});

test("a context at another rate hears the same tone, piece by piece", () => {
  const ring = new PlaybackRing(RATE_HZ, 48_000, 0.1);
  const tone = Int16Array.from({ length: 24_000 }, (_, index) =>
    Math.round(16_000 * Math.sin((2 * Math.PI * 440 * index) / RATE_HZ)),
  );
  ring.play();
  const heard: number[] = [];
  for (let from = 0; from < tone.length; from += 1_200) {
    ring.feed(from, tone.subarray(from, from + 1_200));
    heard.push(...renderAll(ring, 18));
  }
  ring.finish();
  heard.push(...renderAll(ring, 300));
  const sound = heard.slice(heard.findIndex((sample) => sample !== 0));
  let error = 0;
  for (let index = 200; index < 47_000; index += 1) {
    error = Math.max(
      error,
      Math.abs((sound[index] ?? 0) - (16_000 / 32_768) * Math.sin((2 * Math.PI * 440 * index) / 48_000)),
    );
  }
  expect(error).toBeLessThan(0.001);
  expect(ring.rendered_frames).toBe(48_000);
  expect(ring.underruns).toBe(0);
});

test("a ring that is closed gives its memory back, and is silent", () => {
  const ring = new PlaybackRing(RATE_HZ, RATE_HZ, 0.1);
  ring.feed(0, new Int16Array(RATE_HZ).fill(9));
  ring.finish();
  ring.play();
  expect(ring.render(new Float32Array(128))).toBe(128);
  ring.close();
  expect(ring.length_frames).toBe(0);
  expect(ring.render(new Float32Array(128))).toBe(0);
  expect(ring.state).toBe("ended");
});
