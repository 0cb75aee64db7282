import type { TurnCard } from "./turn";

export interface Outcome {
  readonly chip: string;
  readonly tone: "plain" | "warning" | "error";
  /** What happened and what to do next. */
  readonly sentence: string;
}

/** How a turn ended when it did not simply end well, or null. The kernel's own sentence goes before ours. */
export function outcomeOf(card: TurnCard): Outcome | null {
  const said = card.error?.message;
  switch (card.state) {
    case "running":
      return null;
    case "complete":
      return said ? { chip: "warning", tone: "warning", sentence: said } : null;
    case "stopped":
      return {
        chip: "stopped",
        tone: "plain",
        sentence: said ?? "You stopped it; what had arrived is kept.",
      };
    case "cut":
      return {
        chip: "cut off",
        tone: "warning",
        sentence:
          said ?? "The connection ended early; what had arrived is kept. Ask again for the whole reply.",
      };
    case "length":
      return {
        chip: "length limit",
        tone: "warning",
        sentence: said ?? "The reply reached its limit of tokens; raise max_completion_tokens to hear more.",
      };
    case "filtered":
      return {
        chip: "filtered",
        tone: "warning",
        sentence: said ?? "The service’s content filter ended the reply; ask in other words.",
      };
    case "refused":
      return {
        chip: "refused",
        tone: "warning",
        sentence: said ?? "The model declined to answer; ask in other words.",
      };
    case "failed":
      return { chip: "failed", tone: "error", sentence: said ?? "Nothing came back; ask again." };
    default:
      return card.state satisfies never;
  }
}
