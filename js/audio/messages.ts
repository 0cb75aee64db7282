/** What page and worklets tell each other. Both ends are built together, so the types are the parser. */

import type { RingState } from "./ring";

export interface PlaybackOptions {
  readonly source_rate_hz: number;
  readonly start_buffer_s: number;
}

export type ToPlayback =
  | { readonly kind: "feed"; readonly start_frame: number; readonly pcm: Int16Array }
  | { readonly kind: "finish" }
  | { readonly kind: "play" }
  | { readonly kind: "pause" }
  | { readonly kind: "seek"; readonly frame: number }
  | { readonly kind: "speed"; readonly speed: number }
  | { readonly kind: "loop"; readonly loop: { readonly from: number; readonly to: number } | null }
  | { readonly kind: "close" };

export type FromPlayback =
  /** The first sample that is not zero was rendered, at this time of `Date.now()`. */
  | { readonly kind: "first"; readonly at_ms: number }
  | {
      readonly kind: "report";
      readonly state: RingState;
      readonly position_frames: number;
      readonly rendered_frames: number;
      readonly underruns: number;
      readonly start_buffer_s: number;
    };

export type ToCapture = { readonly kind: "stop" };

export type FromCapture =
  | {
      readonly kind: "frames";
      readonly start_frame: number;
      readonly pcm: Int16Array<ArrayBuffer>;
      readonly level_dbfs: number;
      readonly peak: number;
      readonly clipped: boolean;
    }
  | { readonly kind: "done"; readonly frames: number; readonly discarded_frames: number };
