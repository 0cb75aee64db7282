import { expect, test } from "vitest";
import { LivePeaks } from "../widgets/live-peaks";

function loud(frames: number, height: number): Int16Array {
  return new Int16Array(frames).fill(height);
}

test("a growing reply has one peak for each 50 ms that arrived", () => {
  const peaks = new LivePeaks();
  peaks.add(0, loud(1_200, 16_384), 24_000);
  const sound = peaks.add(1_200, loud(600, -32_768), 24_000);
  expect(sound.peaks).toEqual([0.5, 1]);
  expect(sound.duration_s).toBe(0.075);
});

test("a piece that comes again changes nothing, and one that is missing stays flat", () => {
  const peaks = new LivePeaks();
  peaks.add(2_400, loud(1_200, 8_192), 24_000);
  const sound = peaks.add(2_400, loud(1_200, 8_192), 24_000);
  expect(sound.peaks).toEqual([0, 0, 0.25]);
  expect(sound.duration_s).toBe(0.15);
});
