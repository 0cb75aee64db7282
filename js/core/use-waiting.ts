import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Scope } from "./scope";

/** An answer that comes sooner is not worth a word, which would only flash. */
const NOTICED_MS = 400;

interface Waiting {
  /** Whether an answer has been on its way for so long that it is to be said. */
  readonly slow: ReadonlySignal<boolean>;
  /** Ask, unless there is a question already. */
  readonly ask: (question: () => Promise<void>) => void;
}

/** A question to the kernel, which may be busy with a cell for hours. */
export function useWaiting(): Waiting {
  const slow = useSignal(false);
  const { scope, now } = useMemo(() => ({ scope: new Scope(), now: { asking: false } }), []);
  useEffect(() => () => scope.close(), []);
  const ask = (question: () => Promise<void>): void => {
    if (now.asking) return;
    now.asking = true;
    const soon = scope.after(NOTICED_MS, () => (slow.value = true));
    void question().finally(() => {
      soon();
      now.asking = slow.value = false;
    });
  };
  return { slow, ask };
}
