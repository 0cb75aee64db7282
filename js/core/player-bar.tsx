import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { TimedWord } from "./details";
import { clock } from "./format";
import { Icon } from "./icons";
import type { PlayerPort } from "./ports";
import { SeekableWaveform } from "./waveform";

interface PlayerBarProps {
  readonly player: PlayerPort;
  /** What is played, for the names of the controls: "reply", "recording". */
  readonly what: string;
  readonly peaks: readonly number[];
  /** Seconds that `peaks` cover. */
  readonly covers_s: number;
  readonly growing?: boolean;
  readonly words?: readonly TimedWord[];
}

/** Play or pause, the waveform, and the time. */
export function PlayerBar({ player, what, peaks, covers_s, growing = false, words = [] }: PlayerBarProps) {
  const phase = player.phase.value;
  const playing = phase === "playing";
  const length_s = Math.max(covers_s, player.duration_s.value);
  const position = useMemo(
    () => computed(() => clock(Math.min(player.position_s.value, length_s), length_s)),
    [player, length_s],
  );
  const toggle = (): void => (playing ? player.pause() : player.play());
  return (
    <div class="cv-player" data-phase={phase}>
      <button
        type="button"
        class={phase === "blocked" ? "cv-play cv-primary" : "cv-play"}
        aria-label={`${playing ? "Pause" : "Play"} the ${what}`}
        disabled={phase === "empty"}
        onClick={toggle}
      >
        <Icon name={playing ? "pause" : "play"} />
        {phase === "blocked" ? <span>Play the {what}</span> : null}
      </button>
      <SeekableWaveform
        peaks={peaks}
        covers_s={length_s}
        growing={growing}
        name={`position in the ${what}`}
        player={player}
        words={words}
        onToggle={toggle}
      />
      <span class="cv-time" aria-hidden="true">
        {length_s === 0 ? null : (
          <>
            <b>{position}</b> / {clock(length_s)}
            {length_s < 60 ? " s" : ""}
          </>
        )}
      </span>
    </div>
  );
}
