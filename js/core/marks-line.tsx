import { useSignal } from "@preact/signals";
import { Icon } from "./icons";
import type { TurnPort } from "./ports";
import { useWaiting } from "./use-waiting";

interface MarksProps {
  /** The turn that the conversation has. */
  readonly turn: TurnPort;
  /** The version that is looked at. */
  readonly shown: TurnPort;
  readonly onShow: (turn: TurnPort) => void;
}

/** Where the turn stands now: one of several versions, or asked after words that have changed since. */
export function MarksLine({ turn, shown, onShow }: MarksProps) {
  const { stale, versions } = turn.card.value;
  if (!stale && versions === null) return null;
  return (
    <p class="cv-marks">
      {versions === null ? null : <Versions turn={turn} shown={shown} onShow={onShow} />}
      {stale ? (
        <>
          <span class="cv-chip" data-mark="stale">
            stale
          </span>
          <span>
            Turns before it have changed; <code>session.refresh()</code> asks it again.
          </span>
        </>
      ) : null}
    </p>
  );
}

/** "version 2 of 3", with a step to each side where the kernel can tell of the others. */
function Versions({ turn, shown, onShow }: MarksProps) {
  const trouble = useSignal("");
  const { slow, ask } = useWaiting();
  const versions = turn.card.value.versions;
  if (versions === null) return null;
  const { ids, k, of } = versions;
  const place = shown === turn ? k - 1 : ids.indexOf(shown.card.value.id);
  const go = async (step: number): Promise<void> => {
    const id = ids[place + step];
    if (id === undefined || turn.version === null) return;
    const found = id === turn.card.value.id ? turn : await turn.version(id);
    trouble.value = typeof found === "string" ? found : "";
    if (typeof found !== "string") onShow(found);
  };
  const chip = (
    <span class="cv-chip" title="turn.versions has the others" aria-live="polite">
      version {place + 1} of {of}
    </span>
  );
  if (turn.version === null || ids.length < 2) return chip;
  return (
    <>
      <span class="cv-steps" role="group" aria-label="versions of this turn">
        <Step name="earlier version" disabled={place <= 0 || slow.value} onClick={() => ask(() => go(-1))} />
        {chip}
        <Step
          name="later version"
          disabled={place >= ids.length - 1 || slow.value}
          onClick={() => ask(() => go(1))}
        />
      </span>
      {slow.value ? <span class="cv-quiet">asking the kernel …</span> : null}
      {trouble.value ? <span class="cv-complaint">{trouble.value}</span> : null}
    </>
  );
}

function Step({ name, disabled, onClick }: { name: string; disabled: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      class="cv-step"
      aria-label={name}
      title={name}
      aria-disabled={disabled}
      onClick={() => (disabled ? undefined : onClick())}
    >
      <Icon name="chevron" />
    </button>
  );
}
