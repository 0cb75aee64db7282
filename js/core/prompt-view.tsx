import { seconds } from "./format";
import { Icon } from "./icons";
import type { TurnInput } from "./turn";
import { Waveform } from "./waveform";

/** What was said to the model: written, spoken, or both. `ear` names who wrote down what was heard. */
export function PromptView({ input, ear }: { input: readonly TurnInput[]; ear: string }) {
  return (
    <div class="cv-prompt" aria-label="What was said" role="group">
      {input.map((part, index) =>
        part.kind === "text" ? (
          <p key={index} class="cv-said" dir="auto">
            {part.text}
          </p>
        ) : (
          <SpokenPart key={index} part={part} ear={ear} />
        ),
      )}
    </div>
  );
}

function SpokenPart({ part, ear }: { part: Extract<TurnInput, { kind: "sound" }>; ear: string }) {
  return (
    <div class="cv-spoken">
      <span class="cv-voice">
        <Icon name="mic" />
        <Waveform peaks={part.peaks} covers_s={part.duration_s} />
        <span class="cv-quiet">spoken, {seconds(part.duration_s)}</span>
      </span>
      {part.heard ? (
        <span class="cv-heard-words">
          <q dir="auto">{part.heard}</q> <span class="cv-quiet">heard by {ear}</span>
        </span>
      ) : null}
    </div>
  );
}
