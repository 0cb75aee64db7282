import { useLayoutEffect, useRef } from "preact/hooks";
import { ApprovalView } from "./approval-view";
import type { ToolCall, ToolState } from "./details";
import { hundredths } from "./format";
import { JsonTree } from "./json-tree";
import type { TurnPort } from "./ports";
import { safeNodes } from "./safe-html";
import type { Json } from "./settings";
import { StripView } from "./strip-view";
import type { TurnCard } from "./turn";

const STATES: Readonly<Record<ToolState, string>> = {
  waiting: "waiting",
  running: "running",
  done: "done",
  failed: "failed",
  rejected: "rejected",
};
const MOST_LETTERS = 20_000;

/** In a line: which tools, and what became of the calls that did not simply work. */
export function ToolsLine({ card }: { card: TurnCard }) {
  const { tool_calls } = card;
  const names = [...new Set(tool_calls.map(({ name }) => name))];
  const waiting = tool_calls.filter((call) => asks(call, card)).length;
  const odd = (["running", "failed", "rejected"] as const).flatMap((state) => {
    const count = tool_calls.filter((call) => call.state === state).length;
    return count > 0 ? [`${count} ${state}`] : [];
  });
  return (
    <>
      <span class="cv-names">{names.slice(0, 3).join(", ") + (names.length > 3 ? ", …" : "")}</span>
      {[...(waiting > 0 ? [`${waiting} waiting for approval`] : []), ...odd].map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
    </>
  );
}

/** Whether a call waits for a person. One may also wait a moment for its turn to run. */
export function asks(call: ToolCall, card: TurnCard): boolean {
  if (card.state !== "running" || call.state !== "waiting") return false;
  const { trace } = card;
  return (
    trace.length === 0 ||
    trace.some((span) => span.kind === "approval" && span.call_id === call.id && span.end_s === null)
  );
}

/** The course of the turn as a strip, and each call with what went in and what came out. */
export function ToolsView({ turn, card }: { turn: TurnPort; card: TurnCard }) {
  return (
    <>
      {card.trace.length > 0 ? (
        <StripView trace={card.trace} first_sound_s={card.facts.first_sound_s} />
      ) : null}
      {card.tool_calls.length > 0 ? (
        <ul class="cv-calls">
          {card.tool_calls.map((call) => (
            <li key={call.id}>
              <CallView call={call} turn={turn} waits={asks(call, card)} />
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

interface CallProps {
  readonly call: ToolCall;
  readonly turn: TurnPort;
  readonly waits: boolean;
}

function CallView({ call, turn, waits }: CallProps) {
  return (
    <details class="cv-call" data-state={call.state} open={waits || undefined}>
      <summary>
        <code class="cv-call-name" dir="auto">
          {call.name}
          <span class="cv-quiet">({brief(call)})</span>
        </code>
        <span class="cv-quiet">{duration(call)}</span>
        <span class="cv-chip" data-state={call.state}>
          {STATES[call.state]}
        </span>
      </summary>
      <div class="cv-called">
        <section aria-label="arguments">
          <h4>arguments</h4>
          {call.args === null ? <Text text={call.arguments_text} /> : <JsonTree value={call.args} />}
        </section>
        {call.error === null ? null : (
          <section aria-label="error">
            <h4>error</h4>
            <Text text={call.error} tone="error" />
          </section>
        )}
        {call.result === null && call.result_html === null ? null : (
          <section aria-label="result">
            <h4>result</h4>
            <Result call={call} />
          </section>
        )}
      </div>
      {waits && turn.decide !== null ? <ApprovalView call={call} decide={turn.decide} /> : null}
      {waits && turn.decide === null ? (
        <p class="cv-note">It waits for approval: session.pending has it.</p>
      ) : null}
    </details>
  );
}

/** The arguments in a few letters. */
function brief({ args, arguments_text }: ToolCall): string {
  const words =
    args === null
      ? arguments_text
      : Object.entries(args)
          .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
          .join(", ");
  return words.length > 80 ? `${words.slice(0, 79)}…` : words;
}

function duration({ started_s, ended_s }: ToolCall): string {
  return started_s === null || ended_s === null ? "" : hundredths(ended_s - started_s);
}

function Result({ call }: { call: ToolCall }) {
  if (call.result_html !== null) return <Html html={call.result_html} />;
  const text = call.result ?? "";
  const value = parsed(text);
  return value === undefined ? <Text text={text} /> : <JsonTree value={value} />;
}

/** Only what is worth a tree: a text that is an object or a list. */
function parsed(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** A table or a picture, made anew from what may stand in a page. */
function Html({ html }: { html: string }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => box.current?.replaceChildren(safeNodes(html)), [html]);
  return (
    <div class="cv-html" ref={box} tabIndex={0} role="region" aria-label="result as a table or picture" />
  );
}

function Text({ text, tone }: { text: string; tone?: "error" }) {
  const shown = text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
  return (
    <pre class="cv-pre" data-tone={tone} dir="auto" tabIndex={0}>
      {shown}
    </pre>
  );
}
