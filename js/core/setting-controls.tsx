import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { linesOf, written, type Json, type Setting } from "./settings";

/** What a row gives to whichever control it has. */
export interface ControlProps {
  readonly setting: Setting;
  /** As the session has it; undefined while it is not set. */
  readonly value: unknown;
  /** What stands in the field. */
  readonly field: string;
  /** Ids and descriptions of the row, for the element that has the focus. */
  readonly tied: {
    readonly id: string;
    readonly "aria-describedby": string;
    readonly "aria-invalid": boolean;
  };
  /** Something is being written and not yet meant. */
  readonly write: (field: string) => void;
  readonly commit: (field: string) => void;
  readonly commitValue: (value: Json) => void;
}

const MAX_TEXTS = 16;
/** A text that may be longer than this gets more than one line. */
const LINE_CHARS = 512;
const NOT_SET = "not set";
const ANOTHER = "\0another";

/** The control that fits a parameter's kind. */
export function Control(props: ControlProps) {
  const { kind, choices, low, high } = props.setting;
  switch (kind) {
    case "number":
      return low === null || high === null ? <Line {...props} /> : <Slider {...props} />;
    case "whole":
      return <Line {...props} />;
    case "flag":
      return <Switch {...props} />;
    case "choice":
      return <Choice {...props} />;
    case "text":
      if (choices.length > 0) return <OpenChoice {...props} />;
      return (high ?? 0) > LINE_CHARS ? <Lines {...props} /> : <Line {...props} />;
    case "texts":
      return <Texts {...props} />;
    case "json":
      return <Lines {...props} code />;
    default:
      return kind satisfies never;
  }
}

function Line({ setting, field, tied, write, commit }: ControlProps) {
  const numeric = setting.kind === "number" || setting.kind === "whole";
  return (
    <input
      {...tied}
      type="text"
      inputMode={numeric ? "decimal" : "text"}
      class={numeric ? "cv-figure" : undefined}
      autocomplete="off"
      spellcheck={false}
      dir="auto"
      placeholder={written(setting.initial) || NOT_SET}
      value={field}
      onInput={(event) => write(event.currentTarget.value)}
      onChange={(event) => commit(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (isEnter(event)) commit(event.currentTarget.value);
      }}
    />
  );
}

function Lines({ setting, field, tied, write, commit, code = false }: ControlProps & { code?: boolean }) {
  return (
    <textarea
      {...tied}
      rows={2}
      class={code ? "cv-code" : undefined}
      spellcheck={!code}
      dir={code ? "ltr" : "auto"}
      placeholder={code ? asJson(setting.expected) : written(setting.initial) || NOT_SET}
      value={field}
      onInput={(event) => write(event.currentTarget.value)}
      onChange={(event) => commit(event.currentTarget.value)}
    />
  );
}

/** JSON's quotes for Python's; an apostrophe inside a word is none. */
function asJson(expected: string): string {
  return expected.replace(/(?<![a-z])'|'(?![a-z])/g, '"');
}

/** A slider for the hand and a field for the exact number; both say the same. */
function Slider(props: ControlProps) {
  const { setting, field, tied, write, commit } = props;
  const low = setting.low ?? 0;
  const high = setting.high ?? 1;
  const at = Number(field === "" ? (setting.initial ?? low) : field);
  const byKey = useSignal(false);
  return (
    <div class="cv-slider">
      <input
        type="range"
        aria-label={`${setting.name}, slider`}
        aria-describedby={tied["aria-describedby"]}
        min={low}
        max={high}
        step={high - low > 1 ? 0.05 : 0.01}
        value={Number.isFinite(at) ? at : low}
        onInput={(event) => write(event.currentTarget.value)}
        onChange={(event) => {
          if (!byKey.peek()) commit(event.currentTarget.value);
        }}
        onKeyDown={() => (byKey.value = true)}
        onKeyUp={(event) => {
          // A held arrow key passes many values on its way, and only the last one is meant.
          byKey.value = false;
          if (event.key.startsWith("Arrow") || /^(Page|Home|End)/.test(event.key))
            commit(event.currentTarget.value);
        }}
        onBlur={() => (byKey.value = false)}
      />
      <Line {...props} />
    </div>
  );
}

function Switch({ setting, value, tied, commitValue }: ControlProps) {
  return (
    <input
      {...tied}
      type="checkbox"
      role="switch"
      checked={(value ?? setting.initial) === true}
      onChange={(event) => commitValue(event.currentTarget.checked)}
    />
  );
}

function Choice({ setting, field, tied, commit }: ControlProps) {
  const { choices } = setting;
  return (
    <select {...tied} value={field} onChange={(event) => commit(event.currentTarget.value)}>
      <NotSet setting={setting} />
      {field !== "" && !choices.includes(field) ? <option value={field}>{field}</option> : null}
      <Options choices={choices} />
    </select>
  );
}

function Options({ choices }: { choices: readonly string[] }) {
  return (
    <>
      {choices.map((choice) => (
        <option key={choice} value={choice}>
          {choice}
        </option>
      ))}
    </>
  );
}

function NotSet({ setting }: { setting: Setting }) {
  const initial = written(setting.initial);
  return <option value="">{initial === "" ? NOT_SET : `default: ${initial}`}</option>;
}

/** Known names to choose from, and a field for any other. */
function OpenChoice({ setting, field, tied, write, commit }: ControlProps) {
  const { choices } = setting;
  const typed = useSignal<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const isOther = field !== "" && !choices.includes(field);
  const asked = typed.value !== null;
  useEffect(() => {
    if (asked) input.current?.focus();
  }, [asked]);
  const commitTyped = (name: string): void => {
    typed.value = null;
    commit(name);
  };
  return (
    <div class="cv-open-choice">
      <select
        {...tied}
        value={asked || isOther ? ANOTHER : field}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          typed.value = chosen === ANOTHER ? "" : null;
          if (chosen !== ANOTHER) commit(chosen);
        }}
      >
        <NotSet setting={setting} />
        <Options choices={choices} />
        <option value={ANOTHER}>another…</option>
      </select>
      {asked || isOther ? (
        <input
          type="text"
          ref={input}
          aria-label={`another ${setting.name}`}
          aria-describedby={tied["aria-describedby"]}
          aria-invalid={tied["aria-invalid"]}
          autocomplete="off"
          spellcheck={false}
          value={typed.value ?? field}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
            write(event.currentTarget.value);
          }}
          onChange={(event) => commitTyped(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (isEnter(event)) commitTyped(event.currentTarget.value);
          }}
        />
      ) : null}
    </div>
  );
}

/** A line for each text and an empty one for the next. */
function Texts({ setting, field, tied, write, commit }: ControlProps) {
  const filled = linesOf(field);
  const room = filled.length < Math.min(setting.high ?? MAX_TEXTS, MAX_TEXTS);
  const lines = room && filled.at(-1) !== "" ? [...filled, ""] : filled;
  const changed = (index: number, line: string): string => JSON.stringify(lines.with(index, line));
  return (
    <div class="cv-texts" role="group" aria-label={setting.name}>
      {lines.map((line, index) => (
        <input
          key={index}
          {...tied}
          id={index === 0 ? tied.id : undefined}
          type="text"
          aria-label={`${setting.name} ${index + 1}`}
          autocomplete="off"
          spellcheck={false}
          dir="auto"
          placeholder={index === 0 ? NOT_SET : "one more"}
          value={line}
          onInput={(event) => write(changed(index, event.currentTarget.value))}
          onChange={(event) => commit(changed(index, event.currentTarget.value))}
          onKeyDown={(event) => {
            if (isEnter(event)) commit(changed(index, event.currentTarget.value));
          }}
        />
      ))}
    </div>
  );
}

/** An Enter that ends the composition of a character is not meant for us. */
function isEnter(event: KeyboardEvent): boolean {
  return event.key === "Enter" && !event.isComposing;
}
