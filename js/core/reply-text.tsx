import { useComputed, useSignalEffect } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import type { TurnPort } from "./ports";
import { scrolling } from "./scrolling";
import type { TurnCard } from "./turn";
import { piecesOf, wordAt } from "./words";

/** What the model answered; where it is known when each word is spoken, the words light up and lead to their sound. */
export function ReplyText({ turn, card }: { turn: TurnPort; card: TurnCard }) {
  const running = card.state === "running";
  const words = card.reply.text || card.reply.refusal || "";
  if (!running && words === "") return null;
  if (card.words.length > 0 && card.reply.text !== "") return <SpokenText turn={turn} card={card} />;
  return (
    <p class="cv-text" dir="auto" {...scrolling(words)}>
      {words}
      {running ? CARET : null}
    </p>
  );
}

const CARET = <span class="cv-caret" aria-hidden="true" />;

function SpokenText({ turn, card }: { turn: TurnPort; card: TurnCard }) {
  const { player } = turn;
  const { words } = card;
  const { text } = card.reply;
  const box = useRef<HTMLParagraphElement>(null);
  // Drawn anew only when words come, and not with every piece of sound.
  const drawn = useMemo(
    () =>
      piecesOf(text, words).map(({ text, word }, index) =>
        word === null ? (
          text
        ) : (
          <span key={index} data-w={word}>
            {text}
          </span>
        ),
      ),
    [text, words],
  );
  const lit = useComputed(() => {
    const phase = player.phase.value;
    return phase === "playing" || phase === "paused" ? wordAt(words, player.position_s.value) : -1;
  });
  // By hand, because it changes several times a second and nothing else of the text does.
  useSignalEffect(() => {
    const now = lit.value;
    box.current?.querySelector(".cv-lit")?.classList.remove("cv-lit");
    box.current?.querySelector(`[data-w="${now}"]`)?.classList.add("cv-lit");
  });
  const jump = (event: Event): void => {
    const index = event.target instanceof HTMLElement ? event.target.dataset["w"] : undefined;
    const word = index === undefined ? undefined : words[Number(index)];
    // Who drags over words selects them, and does not ask for their sound.
    if (word === undefined || getSelection()?.isCollapsed === false || player.phase.peek() === "empty")
      return;
    player.seek(word.start_s);
    player.play();
  };
  return (
    <p class="cv-text cv-timed" dir="auto" ref={box} onClick={jump} {...scrolling(text)}>
      {drawn}
      {card.state === "running" ? CARET : null}
    </p>
  );
}
