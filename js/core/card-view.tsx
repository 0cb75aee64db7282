import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Announce } from "./announce";
import { useCardWords } from "./card-words";
import { ChoicesView } from "./choices-view";
import { FactsView } from "./facts-view";
import { Fold } from "./fold";
import { seconds } from "./format";
import { Icon } from "./icons";
import { MarksLine } from "./marks-line";
import { hasObject, ObjectLine, ObjectView } from "./object-view";
import { outcomeOf } from "./outcome";
import type { TurnPort } from "./ports";
import { ProbabilitiesView } from "./probabilities-view";
import { PromptView } from "./prompt-view";
import { ReplyText } from "./reply-text";
import { SoundView } from "./sound-view";
import { asks, ToolsLine, ToolsView } from "./tools-view";
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

/** One turn, or another version of it where somebody looks at that. */
export function CardView({ turn, said = NOTHING_SAID }: CardViewProps) {
  const other = useSignal<TurnPort | null>(null);
  // Without a kernel that tells of the others there would be no way back.
  const alone = turn.version === null;
  useEffect(() => {
    if (alone) other.value = null;
  }, [alone]);
  const shown = (alone ? null : other.value) ?? turn;
  return (
    <Card key={shown.card.peek().id} turn={shown} said={said} other={shown !== turn}>
      <MarksLine turn={turn} shown={shown} onShow={(port) => (other.value = port === turn ? null : port)} />
    </Card>
  );
}

interface CardProps {
  readonly turn: TurnPort;
  readonly said: Said;
  /** Whether it is another version than the conversation has. */
  readonly other: boolean;
  /** What stands above all else. */
  readonly children: ComponentChildren;
}

/** What was said, the reply as it comes, its sound, and what lies behind it. */
function Card({ turn, said, other, children }: CardProps) {
  const card = turn.card.value;
  const badge = card.engine && card.engine.badge !== said.badge ? card.engine.badge : "";
  return (
    <article
      class="cv-card"
      data-state={card.state}
      data-other={other || undefined}
      aria-label={`Turn ${card.number}`}
      aria-busy={card.state === "running"}
    >
      {children}
      {card.input.length > 0 ? (
        <PromptView turn={turn} input={card.input} ear={card.engine ? "the engine" : "the model"} />
      ) : null}
      <div class="cv-reply">
        <ReplyText turn={turn} card={card} />
        <SoundView turn={turn} card={card} />
        <Ending card={card} said={said.notice} />
        <Folds turn={turn} card={card} />
        <div class="cv-foot">
          {card.state === "running" ? (
            <Running turn={turn} badge={badge} />
          ) : (
            <FactsView card={card} badge={badge} loadEvents={turn.rawEvents} />
          )}
        </div>
      </div>
      <Announce words={useCardWords(turn)} />
    </article>
  );
}

/** What is worth a look and is not in everybody's way. */
function Folds({ turn, card }: { turn: TurnPort; card: TurnCard }) {
  const { logprobs, tool_calls, other_choices } = card;
  const waits = tool_calls.some((call) => asks(call, card));
  const object = hasObject(card);
  if (logprobs === null && tool_calls.length === 0 && !object && other_choices === null) return null;
  return (
    <div class="cv-folds">
      {tool_calls.length > 0 ? (
        <Fold
          title={tool_calls.length === 1 ? "1 tool call" : `${tool_calls.length} tool calls`}
          line={<ToolsLine card={card} />}
          open={waits}
        >
          {() => <ToolsView turn={turn} card={card} />}
        </Fold>
      ) : null}
      {other_choices === null ? null : <ChoicesView turn={turn} found={other_choices} />}
      {object ? (
        <Fold title="Object" line={<ObjectLine card={card} />} open={card.state === "running"}>
          {() => <ObjectView card={card} />}
        </Fold>
      ) : null}
      {logprobs === null ? null : <ProbabilitiesView logprobs={logprobs} loadAll={turn.allLogprobs} />}
    </div>
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
