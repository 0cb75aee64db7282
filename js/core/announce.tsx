import { useComputed, type ReadonlySignal } from "@preact/signals";
import type { RecorderPort } from "./ports";
import { seconds } from "./format";

/** What a screen reader says when it next has a moment. */
export function Announce({ words }: { words: ReadonlySignal<string> }) {
  return (
    <div class="cv-unseen" role="status" aria-live="polite">
      {words}
    </div>
  );
}

/** How a recording goes, said at its start, every five seconds, and at its end. */
export function useRecorderWords(recorder: RecorderPort): ReadonlySignal<string> {
  const spoken_s = useComputed(() => Math.floor(recorder.elapsed_s.value / 5) * 5);
  return useComputed(() => {
    const phase = recorder.phase.value;
    switch (phase.kind) {
      case "idle":
        return "";
      case "asking":
        return "the browser asks for the microphone";
      case "recording":
        return spoken_s.value > 0 ? `recording, ${spoken_s.value} seconds` : "recording";
      case "saving":
        return "recording stopped";
      case "review":
        return `${seconds(phase.take.duration_s)} ready to send. ${phase.take.sentence}`.trim();
      case "refused":
        return `${phase.refusal.sentence} ${phase.refusal.action}`;
      default:
        return phase satisfies never;
    }
  });
}
