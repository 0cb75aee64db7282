import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { CardView, type Said } from "./card-view";
import type { TurnPort } from "./ports";
import { scrolling } from "./scrolling";
import type { TurnCard } from "./turn";

/** A card that is so near to what is in sight is drawn whole, so that a reader who scrolls never meets one that is not. */
const NEAR = "1200px 0px";
/** Higher than most cards' words: a conversation that is shown again is not drawn whole to learn its height. */
const LIKELY_HEIGHT_PX = 180;
/** What somebody has opened or chosen in a card and would have to look for again. */
const LEFT_OPEN = "details[open], [aria-pressed=true], [aria-expanded=true], [data-other], :focus-within";

interface ConversationCardProps {
  readonly turn: TurnPort;
  readonly said: Said;
  /** Where the conversation goes on: always whole. */
  readonly newest: boolean;
}

/** A card of a conversation: far out of sight only its words and its height are left, until it comes near. */
export function ConversationCard({ turn, said, newest }: ConversationCardProps) {
  const place = useRef<HTMLLIElement>(null);
  const far = useSignal(canWatch());
  const height_px = useSignal(LIKELY_HEIGHT_PX);
  useEffect(() => (place.current ? watch(place.current, far, height_px) : undefined), []);
  const resting = far.value && !newest && !isBusy(turn);
  return (
    <li ref={place} style={{ minHeight: resting ? `${height_px.value}px` : "" }}>
      {resting ? <Words card={turn.card.value} /> : <CardView turn={turn} said={said} />}
    </li>
  );
}

/** Whether it has news of its own: a reply that comes, or sound that goes out or waits to. */
function isBusy(turn: TurnPort): boolean {
  const phase = turn.player.phase.value;
  return turn.card.value.state === "running" || phase === "playing" || phase === "blocked";
}

/** Found by a search of the page, and read by a screen reader. */
function Words({ card }: { card: TurnCard }) {
  const said = card.input.map((part) => (part.kind === "text" ? part.text : part.heard)).filter(Boolean);
  const reply = card.reply.text || card.reply.refusal || "";
  return (
    <article class="cv-card" data-resting aria-label={`Turn ${card.number}`}>
      {said.length > 0 ? (
        <p class="cv-prompt cv-said" dir="auto" {...scrolling(said.join("\n"))}>
          {said.join("\n")}
        </p>
      ) : null}
      <div class="cv-reply">
        <p class="cv-text" dir="auto" {...scrolling(reply)}>
          {reply}
        </p>
      </div>
    </article>
  );
}

function canWatch(): boolean {
  return typeof IntersectionObserver !== "undefined";
}

/** One for all cards of the page: each would do the same. */
let watcher: IntersectionObserver | null = null;
const watched = new WeakMap<Element, (seen: IntersectionObserverEntry) => void>();

function watch(place: HTMLElement, far: Signal<boolean>, height_px: Signal<number>): () => void {
  if (!canWatch()) return () => undefined;
  watcher ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries) watched.get(entry.target)?.(entry);
    },
    // The second is for what scrolls in itself, as the pad does; browsers that don't know it draw a little later.
    { rootMargin: NEAR, scrollMargin: NEAR },
  );
  watched.set(place, ({ isIntersecting, boundingClientRect: { height } }) => {
    if (isIntersecting) {
      far.value = false;
      return;
    }
    // A notebook that takes a cell off the page gives it no height; nothing is known of its place then.
    if (far.peek() || height === 0 || place.querySelector(LEFT_OPEN) !== null) return;
    height_px.value = height;
    far.value = true;
  });
  watcher.observe(place);
  return () => watcher?.unobserve(place);
}
