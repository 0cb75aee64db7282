import { useSignal, type Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { CopyButton } from "./copy-button";
import { count } from "./format";
import { JsonTree } from "./json-tree";
import type { TurnPort } from "./ports";
import { asLines, newsIn, valueOf, type RawEvent, type RawEvents } from "./raw-events";
import { rowByKey, useRowWindow } from "./window-rows";

const ROW_PX = 26;
const MOST_ROWS = 11;
/** More of an event than this is nowhere seen in a line. */
const LINE_LETTERS = 300;

/** What came over the wire, told by the kernel when it is opened. */
export function EventsView({ load }: { load: NonNullable<TurnPort["rawEvents"]> }) {
  const found = useSignal<RawEvents | string | null>(null);
  const asking = useSignal(false);
  const open = async (isOpen: boolean): Promise<void> => {
    const known = found.peek() !== null && typeof found.peek() !== "string";
    if (!isOpen || known || asking.peek()) return;
    found.value = null;
    asking.value = true;
    found.value = await load();
    asking.value = false;
  };
  const events = found.value;
  return (
    <details
      class="cv-json cv-events"
      onToggle={(event) => event.target === event.currentTarget && void open(event.currentTarget.open)}
    >
      <summary>
        <span class="cv-key">events: </span>
        <span class="cv-quiet">
          {events === null || typeof events === "string"
            ? "as they came over the wire"
            : `[ ${(events.events.length + events.left_out).toLocaleString("en-US")} ]`}
        </span>
      </summary>
      {events === null ? (
        <p class="cv-quiet">asking the kernel …</p>
      ) : typeof events === "string" ? (
        <p class="cv-quiet">{events}</p>
      ) : (
        <Loaded found={events} />
      )}
    </details>
  );
}

function Loaded({ found }: { found: RawEvents }) {
  const { events } = found;
  const current = useSignal(0);
  const event = events[current.value];
  return (
    <>
      <CopyButton name="Copy all" text={() => asLines(found)} />
      <EventRows found={found} current={current} />
      {event === undefined ? null : (
        <div class="cv-event" aria-live="polite">
          <p class="cv-quiet">
            event {current.value + 1 + (current.value >= found.left_out_at ? found.left_out : 0)},{" "}
            {event.at_s.toFixed(3)} s after the request was sent, {count(event.size_bytes, "byte")}
            {event.status === null ? "" : `, refused with ${event.status}`}
          </p>
          <JsonTree key={current.value} value={valueOf(event)} depth={1} />
        </div>
      )}
    </>
  );
}

interface RowsProps {
  readonly found: RawEvents;
  readonly current: Signal<number>;
}

/** A line for each; where some were not kept, a line says so. */
function EventRows({ found, current }: RowsProps) {
  const { events, left_out, left_out_at } = found;
  const id = useMemo(() => `cv-${Math.random().toString(36).slice(2)}`, []);
  const rows = useMemo(() => {
    const all: Array<number | null> = events.map((_, index) => index);
    if (left_out > 0) all.splice(left_out_at, 0, null);
    return all;
  }, [found]);
  const first = useMemo(() => events.find(({ status }) => status === null), [found]);
  const rounds = useMemo(() => new Set(events.map(({ round }) => round)).size > 1, [found]);
  const height_px = ROW_PX * Math.max(1, Math.min(MOST_ROWS, rows.length));
  const { box, from, to, reveal } = useRowWindow(rows.length, ROW_PX, height_px);
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = rowByKey(event.key, current.value, events.length, MOST_ROWS);
    if (next === null) return;
    event.preventDefault();
    current.value = Math.max(0, Math.min(events.length - 1, next));
    reveal(rows.indexOf(current.value));
  };
  const at = rows.indexOf(current.value);
  return (
    <div
      class="cv-event-list"
      role="listbox"
      tabIndex={0}
      aria-label="events of the turn"
      aria-activedescendant={at >= from && at < to ? `${id}-${at}` : undefined}
      ref={box}
      style={`height:${height_px}px`}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={`height:${rows.length * ROW_PX}px`}>
        <div role="presentation" style={`transform:translateY(${from * ROW_PX}px)`}>
          {rows.slice(from, to).map((index, offset) => {
            const event = index === null ? undefined : events[index];
            return event === undefined ? (
              <div key="left-out" role="presentation" class="cv-event-row cv-quiet">
                … {count(left_out, "event")} {left_out === 1 ? "was" : "were"} not kept
              </div>
            ) : (
              <Row
                key={index}
                id={`${id}-${from + offset}`}
                event={event}
                first={first}
                rounds={rounds}
                chosen={index === current.value}
                onChoose={() => (current.value = index ?? 0)}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  readonly id: string;
  readonly event: RawEvent;
  readonly first: RawEvent | undefined;
  /** Whether there are several, so that it is worth saying which. */
  readonly rounds: boolean;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

function Row({ id, event, first, rounds, chosen, onChoose }: RowProps) {
  const news = newsIn(event, first);
  return (
    <div class="cv-event-row" role="option" id={id} aria-selected={chosen} onClick={onChoose}>
      <span class="cv-number">{event.at_s.toFixed(3)} s</span>
      {rounds ? (
        <span class="cv-number cv-quiet" title={`request ${event.round} of the turn`}>
          {event.round}
        </span>
      ) : null}
      <span class="cv-number cv-quiet cv-roomy">{sizeOf(event.size_bytes)}</span>
      {news === "" ? (
        <span class="cv-quiet">no content</span>
      ) : (
        <code dir="auto">
          {event.status === null ? "" : `${event.status} `}
          {news.slice(0, LINE_LETTERS)}
        </code>
      )}
    </div>
  );
}

function sizeOf(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(1)} kB`;
}
