import { useEffect, useRef } from "preact/hooks";
import { Announce, useRecorderWords } from "./announce";
import type { Said } from "./card-view";
import { Composer } from "./composer";
import { Icon } from "./icons";
import { Head, Header } from "./pad-head";
import type { PadPort, PadState, TurnPort } from "./ports";
import { ConversationCard } from "./resting-card";
import { SetValues } from "./settings-panel";
import { DropHint, useFileDrop } from "./upload";
import { useTalk } from "./use-talk";

/** More than fit into a pad: it is whole at the first look, and a short one always. */
const NEWEST = 6;

/** A whole conversation: what was said so far, and where to say the next thing. */
export function PadView({ pad }: { pad: PadPort }) {
  const { talk, keys } = useTalk(pad.recorder, (take) => pad.sendTake(take));
  const { over, handlers } = useFileDrop(pad.recorder);
  const state = pad.state.value;
  const trouble = pad.trouble.value;
  return (
    <section
      class="cv-pad"
      aria-label={`Conversation with ${state.model}`}
      tabIndex={-1}
      {...keys}
      {...handlers}
    >
      <Head pad={pad} />
      {state.notice ? <Notice sentence={state.notice} /> : null}
      <Conversation turns={pad.turns.value} said={state} />
      {trouble ? <Trouble sentence={trouble} /> : null}
      <Composer pad={pad} talk={talk} />
      <Journal folder={state.journal} />
      {over.value ? <DropHint /> : null}
      <Announce words={useRecorderWords(pad.recorder)} />
    </section>
  );
}

/** The conversation as it was saved, where no kernel answers. */
export function SavedPadView({ state, turns }: { state: PadState; turns: readonly TurnPort[] }) {
  return (
    <section class="cv-pad" aria-label={`Saved conversation with ${state.model}`}>
      <Header state={state} link={null} />
      {state.settings === null ? null : <SetValues values={state.settings.values} />}
      {turns.length === 0 ? <p class="cv-empty">Nothing said yet.</p> : <Turns turns={turns} said={state} />}
      <Notice sentence="This is the saved conversation; run the cell to go on talking." />
      <Journal folder={state.journal} />
    </section>
  );
}

function Notice({ sentence }: { sentence: string }) {
  return (
    <p class="cv-note cv-inset">
      <Icon name="info" />
      <span>{sentence}</span>
    </p>
  );
}

function Journal({ folder }: { folder: string }) {
  if (folder === "") return null;
  return (
    <p class="cv-journal" title={folder}>
      <Icon name="folder" />
      <span>
        kept in <code>{folder}</code>
      </span>
    </p>
  );
}

export function Trouble({ sentence }: { sentence: string }) {
  return (
    <p class="cv-outcome cv-inset" data-tone="error" role="alert">
      <span class="cv-chip">not sent</span>
      <span>{sentence}</span>
    </p>
  );
}

function Conversation({ turns, said }: { turns: readonly TurnPort[]; said: Said }) {
  const box = useRef<HTMLDivElement>(null);
  useFollow(box, turns.length);
  if (turns.length === 0) return <p class="cv-empty">Nothing said yet.</p>;
  return (
    <div class="cv-scroll" ref={box} tabIndex={0} role="group" aria-label="The conversation so far">
      <Turns turns={turns} said={said} />
    </div>
  );
}

function Turns({ turns, said }: { turns: readonly TurnPort[]; said: Said }) {
  return (
    <ol class="cv-turns">
      {turns.map((turn, index) => (
        <ConversationCard
          key={turn.card.peek().id}
          turn={turn}
          said={said}
          newest={index >= turns.length - NEWEST}
        />
      ))}
    </ol>
  );
}

/** Keeps the newest words in sight while the reader is at the end, and leaves a reader who scrolled back alone. */
function useFollow(list: { readonly current: HTMLElement | null }, length: number): void {
  useEffect(() => {
    const element = list.current;
    if (!element) return undefined;
    element.scrollTop = element.scrollHeight;
    const content = element.firstElementChild;
    if (!content || typeof ResizeObserver === "undefined") return undefined;
    let height_px = element.scrollHeight;
    const watcher = new ResizeObserver(() => {
      const wasAtEnd = height_px - element.scrollTop - element.clientHeight < 40;
      height_px = element.scrollHeight;
      if (wasAtEnd) element.scrollTop = height_px;
    });
    watcher.observe(content);
    return () => watcher.disconnect();
  }, [length]);
}
