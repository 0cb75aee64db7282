import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Icon } from "./icons";
import { Scope } from "./scope";

const THANKS_MS = 2_000;

/** Copies a text with one click, and says whether it worked. */
export function CopyButton({ name, text }: { name: string; text: () => string }) {
  const state = useSignal<"idle" | "copied" | "refused">("idle");
  const scope = useMemo(() => new Scope(), []);
  useEffect(() => () => scope.close(), [scope]);
  const copy = async (): Promise<void> => {
    state.value = (await copied(text())) ? "copied" : "refused";
    scope.after(THANKS_MS, () => (state.value = "idle"));
  };
  const said = { idle: name, copied: "Copied", refused: "Not allowed here: select the text and copy it" };
  return (
    <button type="button" class="cv-button cv-small" onClick={() => void copy()}>
      <Icon name={state.value === "copied" ? "check" : "copy"} />
      <span role="status">{said[state.value]}</span>
    </button>
  );
}

/** A page that is not served securely, or a frame without the right, has no clipboard. */
async function copied(text: string): Promise<boolean> {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  try {
    await clipboard?.writeText(text);
    return clipboard !== undefined;
  } catch (error) {
    console.warn("[cellvoice] the browser did not allow to copy", error);
    return false;
  }
}
