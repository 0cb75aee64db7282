import { useSignal } from "@preact/signals";
import type { TargetedDragEvent } from "preact";
import { useRef } from "preact/hooks";
import { Icon } from "./icons";
import type { RecorderPort } from "./ports";

/** The name that a file chooser and a screen reader read. */
const CHOOSE = "Choose a sound file";

/** A button that asks for a sound file. */
export function UploadButton({ recorder, label }: { recorder: RecorderPort; label?: string }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class={label ? "cv-button" : "cv-button cv-square"}
        aria-label={label ? undefined : CHOOSE}
        title={label ? undefined : CHOOSE}
        onClick={() => input.current?.click()}
      >
        <Icon name="upload" />
        {label}
      </button>
      <input
        ref={input}
        type="file"
        accept="audio/*,.wav,.mp3,.flac,.ogg,.opus"
        aria-label={CHOOSE}
        class="cv-unseen"
        tabIndex={-1}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          // Emptied, so that choosing the same file twice is noticed.
          event.currentTarget.value = "";
          if (file) recorder.upload(file);
        }}
      />
    </>
  );
}

/** Makes an element take a dropped sound file; `over` says whether one hangs above it. */
export function useFileDrop(recorder: RecorderPort) {
  const over = useSignal(false);
  const onDragOver = (event: TargetedDragEvent<HTMLElement>): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    // Both, or the notebook takes the file: it opens what is dropped on it.
    event.preventDefault();
    event.stopPropagation();
    over.value = true;
  };
  const onDragLeave = (event: TargetedDragEvent<HTMLElement>): void => {
    const to = event.relatedTarget;
    if (!(to instanceof Node) || !event.currentTarget.contains(to)) over.value = false;
  };
  const onDrop = (event: TargetedDragEvent<HTMLElement>): void => {
    over.value = false;
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    if (takesFile(recorder)) recorder.upload(file);
  };
  return { over, handlers: { onDragOver, onDragEnter: onDragOver, onDragLeave, onDrop } };
}

/** A file may not push out a recording that is under way or waits for a decision. */
function takesFile(recorder: RecorderPort): boolean {
  const { kind } = recorder.phase.peek();
  return kind === "idle" || kind === "refused" || kind === "review";
}

export function DropHint() {
  return (
    <div class="cv-drop" aria-hidden="true">
      <Icon name="upload" />
      Drop the sound file here
    </div>
  );
}
