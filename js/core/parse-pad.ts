/** Reads the vendor form of a pad, which may come from any notebook file. */

import { Part, TurnFormatError } from "./document";
import { parseTurn } from "./parse-turn";
import type { PadState } from "./ports";
import type { Budget } from "./price";
import { readSettings } from "./settings";
import type { TurnCard } from "./turn";

export const PAD_MIME = "application/vnd.cellvoice.pad.v1+json";

/** A conversation as it was when the notebook was saved. */
export interface SavedPad {
  /** The widget's random word, by which a live pad on the same page is found. */
  readonly pad: string;
  readonly state: PadState;
  readonly turns: readonly TurnCard[];
}

/** Throws `TurnFormatError` when something is missing or of the wrong type, or when the form is newer than this version. */
export function parsePad(document: unknown): SavedPad {
  const root = new Part(document, "pad");
  const version = root.get("version").amount();
  if (version !== 1) {
    throw new TurnFormatError(
      `this pad was saved in form ${version}, and this cellvoice reads form 1; update cellvoice to see all of it`,
    );
  }
  return {
    pad: root.get("pad").text(),
    state: readState(root.get("state")),
    turns: root.get("turns").list((turn) => parseTurn(turn.value)),
  };
}

function readState(state: Part): PadState {
  return {
    model: state.get("model").text(),
    voice: state.get("voice").text(),
    badge: state.get("badge").text(),
    notice: state.get("notice").text(),
    price: state.get("price").orNull((price) => ({
      input_usd_per_s: price.get("input_usd_per_s").size(),
      output_usd_per_s: price.get("output_usd_per_s").size(),
      history_tokens: sizeOrNone(price.get("history_tokens")),
      history_usd: sizeOrNone(price.get("history_usd")),
    })),
    cost_usd: state.get("cost_usd").size(),
    budget: readBudget(state.get("budget")),
    journal: state.get("journal").text(),
    settings: readSettings(state.get("settings")),
  };
}

/** Files that were saved before the history had a price do not say it. */
function sizeOrNone(part: Part): number {
  return part.value === undefined ? 0 : part.size();
}

function readBudget(budget: Part): Budget | null {
  if (budget.value === undefined || budget.value === null) return null;
  return { limit_usd: budget.get("limit_usd").size(), left_usd: budget.get("left_usd").size() };
}
