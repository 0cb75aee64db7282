import type { OtherChoice, OtherChoices } from "./details";
import { Fold } from "./fold";
import { count, seconds } from "./format";
import { PlayerBar } from "./player-bar";
import type { TurnPort } from "./ports";
import { scrolling } from "./scrolling";
import { Waveform } from "./waveform";

/** More of the first one is not seen in a line. */
const LINE_LETTERS = 120;

interface ChoicesProps {
  readonly turn: TurnPort;
  readonly found: OtherChoices;
}

/** The other replies of a turn that was asked for several: one below the other, to be compared. */
export function ChoicesView({ turn, found: { choices, more } }: ChoicesProps) {
  const amount = choices.length + more;
  const first = choices[0];
  return (
    <Fold
      title={count(amount, "other choice")}
      line={<span class="cv-names">{first === undefined ? "" : wordsOf(first).slice(0, LINE_LETTERS)}</span>}
    >
      {() => (
        <>
          {choices.map((choice) => (
            <Choice key={choice.index} choice={choice} turn={turn} />
          ))}
          {more === 0 ? null : (
            <p class="cv-note">
              <span>
                {count(more, "more choice")} {more === 1 ? "is" : "are"} not in the notebook; turn.choices has
                them all.
              </span>
            </p>
          )}
        </>
      )}
    </Fold>
  );
}

function Choice({ choice, turn }: { choice: OtherChoice; turn: TurnPort }) {
  const { index, sound, finish, calls } = choice;
  const said = choice.refusal ?? choice.text;
  const player = sound === null ? null : turn.choice(index);
  const name = `choice ${index + 1}`;
  return (
    <section class="cv-other" aria-label={name}>
      <p class="cv-line cv-quiet">
        <span>{name}</span>
        {sound === null ? null : <span>{seconds(sound.duration_s)}</span>}
        {choice.refusal === null ? null : <span>refused</span>}
        {finish === null || finish === "stop" || finish === "tool_calls" ? null : (
          <span dir="auto">{finish}</span>
        )}
      </p>
      {said === "" ? null : (
        <p class="cv-text" dir="auto" {...scrolling(said)}>
          {said}
        </p>
      )}
      {calls.map((call, at) => (
        <code key={at} class="cv-pre" dir="auto">
          {call}
        </code>
      ))}
      {sound === null ? null : player === null ? (
        <Waveform peaks={sound.peaks} covers_s={sound.duration_s} />
      ) : (
        <PlayerBar player={player} what={name} peaks={sound.peaks} covers_s={sound.duration_s} />
      )}
    </section>
  );
}

/** In a line: its words, else what it calls. */
function wordsOf({ refusal, text, calls }: OtherChoice): string {
  return refusal ?? (text || calls.join(", "));
}
