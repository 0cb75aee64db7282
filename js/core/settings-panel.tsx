import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { PadPort } from "./ports";
import { SettingRow } from "./setting-row";
import { GROUP_TITLES, written, type Json, type Setting, type SettingGroup } from "./settings";

/** Why each parameter was not taken, by its name. */
type Complaints = ReadonlyMap<string, string>;

interface PanelProps {
  readonly pad: PadPort;
  readonly id: string;
  readonly onClose: () => void;
}

/** Everything that can be set for the turns to come, each with its meaning; what is committed goes to the kernel at once. */
export function SettingsPanel({ pad, id, onClose }: PanelProps) {
  const complaints = useSignal<Complaints>(new Map());
  useEffect(() => {
    // A cell may have set something since the last turn; setting nothing asks for what holds now.
    void pad.set({});
  }, [pad]);
  const settings = pad.state.value.settings;
  if (settings === null) return null;
  const names = settings.form.map(({ name }) => name);
  const commit = async (name: string, value: Json): Promise<boolean> => {
    const sentence = await pad.set({ [name]: value });
    complaints.value = afterwards(complaints.peek(), name, sentence, names);
    return sentence === "";
  };
  return (
    <div
      class="cv-settings"
      id={id}
      role="group"
      aria-label="Settings"
      onKeyDown={(event) => {
        // The pad talks on the space bar and stops on Escape; in here both have their own meaning.
        if (event.key === " " || event.key === "Escape") event.stopPropagation();
        if (event.key === "Escape") onClose();
      }}
      onKeyUp={(event) => event.stopPropagation()}
    >
      {Object.entries(GROUP_TITLES).map(([group, title]) => (
        <Group
          key={group}
          title={title}
          form={settings.form.filter((setting) => setting.group === (group as SettingGroup))}
          values={settings.values}
          model={pad.state.value.model}
          complaints={complaints}
          commit={commit}
        />
      ))}
    </div>
  );
}

/** The row that was touched always says why; the row that the sentence names says it, too. */
function afterwards(before: Complaints, touched: string, sentence: string, names: string[]): Complaints {
  const after = new Map(before);
  const over = before.get(touched);
  for (const [name, said] of before) if (name === touched || said === over) after.delete(name);
  if (sentence === "") return after;
  after.set(touched, sentence);
  const named = /^\w+/.exec(sentence)?.[0];
  if (named !== undefined && names.includes(named)) after.set(named, sentence);
  return after;
}

interface GroupProps {
  readonly title: string;
  readonly form: readonly Setting[];
  readonly values: ReadonlyMap<string, unknown>;
  readonly model: string;
  readonly complaints: Signal<Complaints>;
  readonly commit: (name: string, value: Json) => Promise<boolean>;
}

function Group({ title, form, values, model, complaints, commit }: GroupProps) {
  if (form.length === 0) return null;
  return (
    <fieldset>
      <legend>{title}</legend>
      {form.map((setting) => (
        <SettingRow
          key={setting.name}
          setting={setting}
          value={values.get(setting.name)}
          model={model}
          complaint={complaints.value.get(setting.name) ?? ""}
          commit={(value) => commit(setting.name, value)}
          forgive={() => {
            complaints.value = afterwards(complaints.peek(), setting.name, "", []);
          }}
        />
      ))}
    </fieldset>
  );
}

/** What was set, in words: for a pad whose kernel is gone. */
export function SetValues({ values }: { values: ReadonlyMap<string, unknown> }) {
  const told = [...values].filter(([name]) => !IN_THE_HEAD.has(name));
  if (told.length === 0) return null;
  return (
    <dl class="cv-values cv-inset" aria-label="Settings">
      {told.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd dir="auto">{written(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The pad's head says these. */
const IN_THE_HEAD: ReadonlySet<string> = new Set(["model", "voice"]);
