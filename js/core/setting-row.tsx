import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { Icon } from "./icons";
import { Control } from "./setting-controls";
import { meant, shown, written, type Json, type Setting } from "./settings";

interface RowProps {
  readonly setting: Setting;
  readonly value: unknown;
  readonly model: string;
  readonly complaint: string;
  /** Whether the kernel has taken it. */
  readonly commit: (value: Json) => Promise<boolean>;
  /** What was complained of is no longer there. */
  readonly forgive: () => void;
}

/** One parameter: its name, its control, its meaning, and what is wrong with it. */
export function SettingRow(props: RowProps) {
  const { setting, value, model, complaint } = props;
  const { name, warning } = setting;
  const id = useMemo(() => `cv-${Math.random().toString(36).slice(2)}`, []);
  const entry = useEntry(props);
  const isSet = value !== undefined;
  const warned = warning !== "" && (isSet || entry.open);
  const about = [`${id}-text`, warned ? `${id}-warning` : "", complaint ? `${id}-complaint` : ""];
  const tied = { id, "aria-describedby": about.join(" ").trim(), "aria-invalid": complaint !== "" };
  return (
    <div class="cv-setting" data-name={name} data-set={isSet} onKeyDown={entry.onKeyDown}>
      <div class="cv-naming">
        <label for={id}>{name}</label>
        {setting.refused ? <span class="cv-chip">refused by {model}</span> : null}
      </div>
      <div class="cv-control" aria-busy={entry.busy}>
        <Control setting={setting} value={value} field={entry.field} tied={tied} {...entry.actions} />
        {isSet || complaint ? (
          <button
            type="button"
            class="cv-button cv-square"
            aria-label={`Unset ${name}`}
            title={`Unset ${name}`}
            onClick={(event) => {
              // The button goes, and the keyboard must not begin again at the top of the page.
              const row = event.currentTarget.closest(".cv-setting");
              row?.querySelector<HTMLElement>("input, select, textarea")?.focus();
              entry.unset();
            }}
          >
            <Icon name="cross" />
          </button>
        ) : null}
      </div>
      <p class="cv-hint" id={`${id}-text`}>
        <Words text={setting.text} />
        {setting.kind === "texts" ? " \\n stands for a new line." : null}
      </p>
      {warned ? (
        <p class="cv-note cv-warning" id={`${id}-warning`}>
          <Icon name="alert" />
          <span>{warning}</span>
        </p>
      ) : null}
      {complaint ? (
        <p class="cv-complaint" id={`${id}-complaint`} role="alert">
          {complaint}
        </p>
      ) : null}
    </div>
  );
}

/** A sentence of the table, with what stands between backticks as code. */
function Words({ text }: { text: string }) {
  return (
    <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>
  );
}

/** What stands in a row's field: the session's value, or what is being written and was not taken yet. */
function useEntry({ setting, value, complaint, commit, forgive }: RowProps) {
  const draft = useSignal<string | null>(null);
  const sent = useSignal<Json | undefined>(undefined);
  /** The field's text that the kernel has not answered yet: it can't be taken back any more. */
  const underWay = useRef<string | null>(null);
  const held = shown(setting, value);
  const send = (meaning: Json): void => {
    const field = draft.peek();
    underWay.current = field;
    sent.value = meaning;
    void commit(meaning).then((taken) => {
      if (sent.peek() === meaning) {
        sent.value = undefined;
        underWay.current = null;
      }
      // What was written since then is not answered yet.
      if (taken && draft.peek() === field) draft.value = null;
    });
  };
  const commitField = (field: string): void => {
    draft.value = field;
    const meaning = meant(setting, field);
    // Enter and leaving the field both commit; the second finds nothing new.
    const same = written(meaning) === written(sent.peek() === undefined ? value : sent.peek());
    if (!same) send(meaning);
    else if (sent.peek() === undefined) forget();
  };
  const forget = (): void => {
    draft.value = null;
    if (complaint) forgive();
  };
  return {
    field: draft.value ?? held,
    open: draft.value !== null,
    busy: sent.value !== undefined,
    unset: () => {
      forget();
      if (value !== undefined) send(null);
    },
    onKeyDown: (event: KeyboardEvent) => {
      const field = draft.peek();
      if (event.key !== "Escape" || field === null || field === underWay.current) return;
      // The first Escape takes back what was written, the next one closes the panel.
      event.stopPropagation();
      forget();
    },
    actions: {
      write: (field: string) => {
        draft.value = field;
      },
      commit: commitField,
      commitValue: send,
    },
  };
}
