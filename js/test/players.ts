/** Players on speakers without a browser, for tests of what is heard. */

import { pageAudio } from "../audio/context";
import { StreamPlayer } from "../audio/playback";
import { HandClock } from "./hand-clock";
import { RingSpeakers } from "./ring-speakers";

export const RATE_HZ = 24_000;

export function tone(duration_s: number, first = 1): Int16Array {
  return Int16Array.from({ length: duration_s * RATE_HZ }, (_, index) => first + (index % 20_000));
}

export const gone = (): Promise<null> => Promise.resolve(null);

export function setUp({ running = true } = {}) {
  const clock = new HandClock();
  const speakers = new RingSpeakers(running);
  const player = (turn: string): StreamPlayer => new StreamPlayer({ turn, clock, speakers });
  return { clock, speakers, player };
}

/** The page as no sound has been in it, for the next test. */
export function forgetSounds(): void {
  const page = pageAudio();
  page.speaking = null;
  page.waiting.length = 0;
  page.live.clear();
  page.reports.length = 0;
  page.shelf = [];
  page.start_buffer_s = 0.1;
}
