import { useComputed, type ReadonlySignal } from "@preact/signals";
import { useState } from "preact/hooks";
import { Announce } from "./announce";
import { FactsView } from "./facts-view";
import { seconds } from "./format";
import { Icon } from "./icons";
import { outcomeOf } from "./outcome";
import type { TurnPort } from "./ports";
import { ProbabilitiesView } from "./probabilities-view";
import { PromptView } from "./prompt-view";
import { ReplyText } from "./reply-text";
import { SoundView } from "./sound-view";
import type { TurnCard } from "./turn";

/** A badge and a notice, "" for none. */
export interface Said {
  readonly badge: string;
  readonly notice: string;
}

const NOTHING_SAID: Said = { badge: "", notice: "" };

interface CardViewProps {
  readonly turn: TurnPort;
  /** What stands above all cards already and need not be said again on each. */
  readonly said?: Said;
}

/** One turn: what was said, the reply as it comes, its sound, and the facts. */
export function CardView({ turn, said = NOTHING_SAID }: CardViewProps) {
  const card = turn.card.value;
  const badge = card.engine && card.engine.badge !== said.badge ? card.engine.badge : "";
  return (
    <article
      class="cv-card"
      data-state={card.state}
      aria-label={`Turn ${card.number}`}
      aria-busy={card.state === "running"}
    >
      <MarksLine card={card} />
      {card.input.length > 0 ? (
        <PromptView input={card.input} ear={card.engine ? "the engine" : "the model"} />
      ) : null}
      <div class="cv-reply">
        <ReplyText turn={turn} card={card} />
        <SoundView turn={turn} card={card} />
        <Ending card={card} said={said.notice} />
        <Folds card={card} />
        <div class="cv-foot">
          {card.state === "running" ? (
            <Running turn={turn} badge={badge} />
          ) : (
            <FactsView card={card} badge={badge} />
          )}
        </div>
      </div>
      <Announce words={useCardWords(turn)} />
    </article>
  );
}

/** What is worth a look and is not in everybody's way. */
function Folds({ card }: { card: TurnCard }) {
  const { logprobs } = card;
  if (logprobs === null) return null;
  return (
    <div class="cv-folds">
      <ProbabilitiesView logprobs={logprobs} />
    </div>
  );
}

/** Where the turn stands now: one of several versions, or asked after words that have changed since. */
function MarksLine({ card }: { card: TurnCard }) {
  const { stale, versions } = card;
  if (!stale && versions === null) return null;
  return (
    <p class="cv-marks">
      {versions === null ? null : (
        <span class="cv-chip" title="turn.versions has the others">
          version {versions.k} of {versions.of}
        </span>
      )}
      {stale ? (
        <>
          <span class="cv-chip" data-mark="stale">
            stale
          </span>
          <span>
            Turns before it have changed; <code>session.refresh()</code> asks it again.
          </span>
        </>
      ) : null}
    </p>
  );
}

function Ending({ card, said }: { card: TurnCard; said: string }) {
  const outcome = outcomeOf(card);
  const notices = card.notices.filter((notice) => !said.includes(notice));
  return (
    <>
      {outcome ? (
        <p class="cv-outcome" data-tone={outcome.tone}>
          <span class="cv-chip">{outcome.chip}</span>
          <span>{outcome.sentence}</span>
        </p>
      ) : null}
      {notices.map((notice) => (
        <p class="cv-note" key={notice}>
          <Icon name="info" />
          <span>{notice}</span>
        </p>
      ))}
    </>
  );
}

function Running({ turn, badge }: { turn: TurnPort; badge: string }) {
  const heard_s = turn.player.position_s;
  // A stream without a meter of its own has made at least what it has sent.
  const made_s = Math.max(turn.progress_s.value, turn.player.duration_s.value);
  return (
    <div class="cv-running">
      {badge ? <span class="cv-badge">{badge}</span> : null}
      <span class="cv-line">
        {made_s > 0 ? (
          <>
            <span>
              speech made <Amount of_s={made_s} />
            </span>
            <span>
              heard <Heard position_s={heard_s} />
            </span>
          </>
        ) : (
          <span>waiting for the first words</span>
        )}
      </span>
      <button type="button" class="cv-button" onClick={() => turn.stop()}>
        <Icon name="stop" />
        Stop
      </button>
    </div>
  );
}

/** Wide enough for what it will grow to, so that its neighbours stay where they are. */
function Amount({ of_s }: { of_s: number }) {
  return <b class="cv-amount">{seconds(of_s)}</b>;
}

/** On its own, because it changes with every frame while the reply plays. */
function Heard({ position_s }: { position_s: ReadonlySignal<number> }) {
  const tenths = useComputed(() => Math.floor(position_s.value * 10) / 10);
  return <Amount of_s={tenths.value} />;
}

/** How far the speech has come, for a listener who hears nothing yet: every ten seconds, in words. */
function useSpokenProgress(turn: TurnPort): ReadonlySignal<string> {
  const made_s = useComputed(
    () => Math.floor(Math.max(turn.progress_s.value, turn.player.duration_s.value) / 10) * 10,
  );
  return useComputed(() => (made_s.value > 0 ? `${made_s.value} seconds of speech made` : ""));
}

/** Only what a listener could not tell by ear is said: the streaming words themselves are not read over the voice. */
function useCardWords(turn: TurnPort): ReadonlySignal<string> {
  const [live] = useState(() => turn.card.peek().state === "running");
  const progress = useSpokenProgress(turn);
  return useComputed(() => {
    const card = turn.card.value;
    switch (turn.player.phase.value) {
      case "playing":
        return "reply playing";
      case "paused":
        return "reply paused";
      case "blocked":
        return "the browser waits for a click before it plays the reply";
      default:
        break;
    }
    const outcome = outcomeOf(card);
    if (outcome !== null) return `${outcome.chip}. ${outcome.sentence}`;
    if (card.state === "running") return progress.value || (card.notices.at(-1) ?? "waiting for the reply");
    return card.reply.kind === "text" && live ? card.reply.text : "";
  });
}
