import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { ToolCall } from "./details";
import type { Decide, Decision } from "./ports";
import type { Json } from "./settings";

interface ApprovalProps {
  readonly call: ToolCall;
  readonly decide: Decide;
}

/** A tool that waits for a yes: run it, change what it is given, refuse it, or trust it from now on. */
export function ApprovalView({ call, decide }: ApprovalProps) {
  const trouble = useSignal("");
  const busy = useSignal(false);
  const editing = useSignal(false);
  const draft = useSignal(asText(call));
  const reason = useRef<HTMLInputElement>(null);
  const send = async (decision: Decision): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    trouble.value = await decide(call, decision);
    // What was taken is not asked again; the call's next state takes all of this away.
    busy.value = trouble.value === "";
  };
  /** Run it: with what was written while it was edited, else with what the model wants. */
  const run = (action: "approve" | "always"): void => {
    if (!editing.value) return void send({ action });
    const args = readObject(draft.value);
    if (typeof args === "string") trouble.value = args;
    else void send({ action, args });
  };
  return (
    <div
      class="cv-approval"
      role="group"
      aria-label={`${call.name} waits for approval`}
      aria-busy={busy.value}
    >
      {editing.value ? (
        <label class="cv-edit">
          <span class="cv-quiet">arguments, as JSON</span>
          <textarea
            class="cv-code"
            spellcheck={false}
            value={draft.value}
            aria-invalid={trouble.value !== ""}
            onInput={(event) => (draft.value = event.currentTarget.value)}
          />
        </label>
      ) : null}
      <div class="cv-actions">
        <button
          type="button"
          class="cv-button cv-primary"
          disabled={busy.value}
          onClick={() => run("approve")}
        >
          Approve
        </button>
        <button
          type="button"
          class="cv-button"
          aria-pressed={editing.value}
          disabled={busy.value}
          onClick={() => (editing.value = !editing.value)}
        >
          Edit
        </button>
        <button
          type="button"
          class="cv-button"
          title={`Run this call${editing.value ? " with these arguments" : ""}, and ${call.name} without asking for the rest of this session`}
          disabled={busy.value}
          onClick={() => run("always")}
        >
          Always allow
        </button>
        <span class="cv-reject">
          <input ref={reason} type="text" placeholder="reason, if any" aria-label="reason for rejecting" />
          <button
            type="button"
            class="cv-button"
            disabled={busy.value}
            onClick={() => void send({ action: "reject", reason: reason.current?.value ?? "" })}
          >
            Reject
          </button>
        </span>
      </div>
      {trouble.value ? (
        <p class="cv-complaint" role="alert">
          {trouble.value}
        </p>
      ) : null}
    </div>
  );
}

function asText({ args, arguments_text }: ToolCall): string {
  return args === null ? arguments_text : JSON.stringify(args, null, 2);
}

/** The object, or what is wrong with the text. */
function readObject(text: string): Readonly<Record<string, Json>> | string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, Json>;
    return 'The arguments have to be one JSON object, as in {"city": "Lyon"}.';
  } catch (error) {
    return `The arguments are no JSON: ${error instanceof Error ? error.message : String(error)}.`;
  }
}
