import { seconds } from "./format";
import { Icon } from "./icons";
import { PlayerBar } from "./player-bar";
import type { PlayerPort, TurnPort } from "./ports";
import { scrolling } from "./scrolling";
import type { TurnInput } from "./turn";
import { Waveform } from "./waveform";

interface PromptProps {
  readonly turn: TurnPort;
  readonly input: readonly TurnInput[];
  readonly ear: string;
}

/** What was said to the model: written, spoken, or both. `ear` names who wrote down what was heard. */
export function PromptView({ turn, input, ear }: PromptProps) {
  return (
    <div class="cv-prompt" aria-label="What was said" role="group">
      {input.map((part, index) =>
        part.kind === "text" ? (
          <p key={index} class="cv-said" dir="auto" {...scrolling(part.text)}>
            {part.text}
          </p>
        ) : (
          <SpokenPart key={index} part={part} ear={ear} player={turn.said(index)} />
        ),
      )}
    </div>
  );
}

interface SpokenProps {
  readonly part: Extract<TurnInput, { kind: "sound" }>;
  readonly ear: string;
  readonly player: PlayerPort | null;
}

function SpokenPart({ part, ear, player }: SpokenProps) {
  return (
    <div class="cv-spoken">
      {player === null ? (
        <span class="cv-voice">
          <Icon name="mic" />
          <Waveform peaks={part.peaks} covers_s={part.duration_s} />
          <span class="cv-quiet">spoken, {seconds(part.duration_s)}</span>
        </span>
      ) : (
        <PlayerBar player={player} what="recording" peaks={part.peaks} covers_s={part.duration_s} />
      )}
      {part.heard ? (
        <span class="cv-heard-words">
          <q dir="auto">{part.heard}</q> <span class="cv-quiet">heard by {ear}</span>
        </span>
      ) : null}
    </div>
  );
}
