import { useState } from "preact/hooks";
import type { Json } from "./settings";

/** Deeper than this, and longer than this, a value is shown only when it is asked for. */
const OPEN_DEPTH = 2;
const OPEN_ITEMS = 12;
const MOST_ITEMS = 500;
const MOST_LETTERS = 4_000;

interface TreeProps {
  readonly value: Json;
  readonly name?: string;
  readonly depth?: number;
}

/** A JSON value as a tree whose branches fold. */
export function JsonTree({ value, name, depth = 0 }: TreeProps) {
  const key = name === undefined ? null : <span class="cv-key">{name}: </span>;
  const items = itemsOf(value);
  // Decided once: an object that grows must not fold itself while somebody reads it.
  const [open] = useState(depth < OPEN_DEPTH && (items?.length ?? 0) <= OPEN_ITEMS);
  if (items === null || items.length === 0) {
    return (
      <div class="cv-leaf">
        {key}
        <Scalar value={value} />
      </div>
    );
  }
  const [from, to] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return (
    <details class="cv-branch" open={open}>
      <summary>
        {key}
        <span class="cv-quiet">
          {from} {items.length} {to}
        </span>
      </summary>
      {items.slice(0, MOST_ITEMS).map(([own, item]) => (
        <JsonTree key={own} name={own} value={item} depth={depth + 1} />
      ))}
      {items.length > MOST_ITEMS ? (
        <div class="cv-leaf cv-quiet">… {items.length - MOST_ITEMS} more</div>
      ) : null}
    </details>
  );
}

function itemsOf(value: Json): ReadonlyArray<readonly [string, Json]> | null {
  return typeof value === "object" && value !== null ? Object.entries(value) : null;
}

function Scalar({ value }: { value: Json }) {
  const kind = value === null ? "null" : typeof value;
  const written = JSON.stringify(value);
  const shown = written.length > MOST_LETTERS ? `${written.slice(0, MOST_LETTERS)}…` : written;
  return (
    <span class="cv-value" data-kind={kind} dir="auto">
      {shown}
    </span>
  );
}
