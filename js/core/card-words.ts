/** What a screen reader is told of a card. */

import { useComputed, type ReadonlySignal } from "@preact/signals";
import { useState } from "preact/hooks";
import { outcomeOf } from "./outcome";
import type { TurnPort } from "./ports";
import { asks } from "./tools-view";

/** How far the speech has come, for a listener who hears nothing yet: every ten seconds, in words. */
function useSpokenProgress(turn: TurnPort): ReadonlySignal<string> {
  const made_s = useComputed(
    () => Math.floor(Math.max(turn.progress_s.value, turn.player.duration_s.value) / 10) * 10,
  );
  return useComputed(() => (made_s.value > 0 ? `${made_s.value} seconds of speech made` : ""));
}

/** Only what a listener could not tell by ear is said: the streaming words themselves are not read over the voice. */
export function useCardWords(turn: TurnPort): ReadonlySignal<string> {
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
    const waiting = card.tool_calls.find((call) => asks(call, card));
    if (waiting !== undefined) return `${waiting.name} waits for your approval`;
    if (card.state === "running") return progress.value || (card.notices.at(-1) ?? "waiting for the reply");
    return card.reply.kind === "text" && live ? card.reply.text : "";
  });
}
