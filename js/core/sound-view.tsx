import { PlayerBar } from "./player-bar";
import { PlayerTools } from "./player-tools";
import type { TurnPort } from "./ports";
import type { TurnCard } from "./turn";

/** The player's row is there from the start of a spoken reply, so that nothing moves when sound arrives. */
export function SoundView({ turn, card }: { turn: TurnPort; card: TurnCard }) {
  const running = card.state === "running";
  const arrived_s = turn.player.duration_s.value;
  const { sound } = card.reply;
  const phase = turn.player.phase.value;
  if (card.reply.kind === "text" || (!running && sound === null && arrived_s === 0)) return null;
  const covers_s = sound?.duration_s ?? 0;
  return (
    <div class="cv-sound">
      <PlayerBar
        player={turn.player}
        what="reply"
        peaks={sound?.peaks ?? []}
        covers_s={covers_s}
        growing={running}
        words={card.words}
      />
      <PlayerTools
        player={turn.player}
        length_s={Math.max(covers_s, arrived_s)}
        name={`turn-${card.number}`}
        aside={card.words.length > 0 && card.words_estimated ? "word times estimated" : ""}
      />
      {phase === "blocked" ? (
        <p class="cv-note">
          The browser waits for a click before it plays sound; the reply is kept from its beginning.
        </p>
      ) : null}
      {phase === "empty" && !running ? (
        <p class="cv-note">The sound of this reply is not in the notebook or cannot be played here.</p>
      ) : null}
    </div>
  );
}
