import { CopyButton } from "./copy-button";
import { JsonTree } from "./json-tree";
import type { TurnCard } from "./turn";

/** What a schema asked for: the object, or as much of it as has come. */
export function ObjectView({ card }: { card: TurnCard }) {
  const { parsed, partial, parsed_error } = card;
  const value = parsed ?? partial;
  return (
    <>
      {parsed_error === null ? null : (
        <p class="cv-outcome" data-tone="warning">
          <span class="cv-chip">no object</span>
          <span>{parsed_error}</span>
        </p>
      )}
      {value === null ? null : (
        <div class="cv-json" aria-busy={parsed === null}>
          <JsonTree value={value} />
          <CopyButton name="Copy" text={() => JSON.stringify(value, null, 2)} />
        </div>
      )}
    </>
  );
}

/** In a line: its keys, or that there is none. */
export function ObjectLine({ card }: { card: TurnCard }) {
  const value = card.parsed ?? card.partial;
  if (value === null) return <span>none that fits its schema</span>;
  const keys = typeof value === "object" && !Array.isArray(value) ? Object.keys(value) : [];
  return <span class="cv-names">{keys.slice(0, 6).join(", ")}</span>;
}

/** Whether there is anything of an object to be shown. */
export function hasObject({ parsed, partial, parsed_error }: TurnCard): boolean {
  return parsed !== null || partial !== null || parsed_error !== null;
}
