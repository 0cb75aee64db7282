import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Icon } from "./icons";

interface FoldProps {
  readonly title: string;
  /** What is worth knowing while it is closed. */
  readonly line?: ComponentChildren;
  /** Opened when this becomes true; who closes it again has the last word. */
  readonly open?: boolean;
  /** Called when it is opened; what is inside exists only then. */
  readonly children: () => ComponentChildren;
}

/** A part of a card that is one line until it is opened. */
export function Fold({ title, line, open = false, children }: FoldProps) {
  const shown = useSignal(open);
  useEffect(() => {
    if (open) shown.value = true;
  }, [open]);
  return (
    <details
      class="cv-fold"
      open={shown.value}
      onToggle={(event) => (shown.value = event.currentTarget.open)}
    >
      <summary>
        <b>{title}</b>
        <span class="cv-line">{line}</span>
        <Icon name="chevron" />
      </summary>
      {shown.value ? <div class="cv-folded">{children()}</div> : null}
    </details>
  );
}
