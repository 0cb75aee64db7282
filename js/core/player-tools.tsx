import { useSignal } from "@preact/signals";
import { Icon } from "./icons";
import type { PlayerPort } from "./ports";
import { saveAs } from "./save";
import { SpectrogramView } from "./spectrogram-view";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] as const;

interface ToolsProps {
  readonly player: PlayerPort;
  /** Seconds of sound that are there. */
  readonly length_s: number;
  /** What a saved file is called, without its ending. */
  readonly name: string;
  /** What is to be known of the times of the words, or "". */
  readonly aside: string;
}

/** Speed, loop, download and spectrogram, in one quiet line. */
export function PlayerTools({ player, length_s, name, aside }: ToolsProps) {
  const drawn = useSignal(false);
  const failed = useSignal(false);
  const silent = player.phase.value === "empty";
  const loop = player.loop.value;
  const save = async (): Promise<void> => {
    const file = await player.file().catch(() => null);
    failed.value = file === null;
    if (file !== null) saveAs(file, `${name}.${ending(file.type)}`);
  };
  return (
    <>
      <div class="cv-player-tools" data-silent={silent}>
        <label>
          <span class="cv-unseen">speed</span>
          <select
            disabled={silent}
            title="How fast it plays; the pitch stays"
            onChange={(event) => player.setSpeed(Number(event.currentTarget.value))}
          >
            {SPEEDS.map((speed) => (
              <option key={speed} value={speed} selected={speed === player.speed.value}>
                {speed}×
              </option>
            ))}
          </select>
        </label>
        <Tool
          name="Loop"
          pressed={loop !== null}
          disabled={silent}
          onClick={() => player.setLoop(loop === null ? { from_s: 0, to_s: length_s } : null)}
        />
        <Tool
          name="Spectrogram"
          pressed={drawn.value}
          disabled={silent}
          onClick={() => (drawn.value = !drawn.value)}
        />
        <button type="button" class="cv-tool" disabled={silent} onClick={() => void save()}>
          <Icon name="download" />
          Download
        </button>
        {aside ? <span class="cv-aside">{aside}</span> : null}
      </div>
      {failed.value ? <p class="cv-note">The sound is not here, so it cannot be saved.</p> : null}
      {drawn.value ? <SpectrogramView player={player} /> : null}
    </>
  );
}

interface ToolProps {
  readonly name: string;
  readonly pressed: boolean;
  readonly disabled: boolean;
  readonly onClick: () => void;
}

function Tool({ name, pressed, disabled, onClick }: ToolProps) {
  return (
    <button type="button" class="cv-tool" aria-pressed={pressed} disabled={disabled} onClick={onClick}>
      {name}
    </button>
  );
}

function ending(mime: string): string {
  if (mime.includes("mpeg")) return "mp3";
  return mime.includes("ogg") ? "ogg" : "wav";
}
