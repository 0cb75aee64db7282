import { useRef } from "preact/hooks";
import type { HoldToTalk } from "./hold-to-talk";
import { Icon } from "./icons";
import type { RecorderPort } from "./ports";

interface RecordButtonProps {
  readonly recorder: RecorderPort;
  readonly talk: HoldToTalk;
  readonly disabled?: boolean;
}

/** The round button: click to start and to stop, or hold to talk. */
export function RecordButton({ recorder, talk, disabled = false }: RecordButtonProps) {
  // A press that started the recording is followed by a click that must not stop it.
  const started = useRef(false);
  const { kind } = recorder.phase.value;
  const recording = kind === "recording";
  // Under review the way to record again stands among the other choices.
  if (kind === "review") return null;
  return (
    <button
      type="button"
      class="cv-record"
      data-phase={kind}
      aria-label={recording ? "Stop recording" : kind === "refused" ? "Try the microphone again" : "Record"}
      aria-pressed={recording}
      disabled={disabled || kind === "saving"}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        started.current = talk.press();
      }}
      onPointerUp={() => talk.release()}
      onPointerCancel={() => talk.lose()}
      onClick={(event) => {
        // `detail` is 0 for a click without a pointer: the Enter key, a screen reader.
        const mine = started.current && event.detail > 0;
        started.current = false;
        if (!mine) talk.toggle();
      }}
      onContextMenu={(event) => event.preventDefault()}
    >
      <Icon name={recording ? "stop" : kind === "refused" ? "micOff" : "mic"} />
    </button>
  );
}
