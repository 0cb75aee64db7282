import { useEffect, useMemo } from "preact/hooks";
import { HoldToTalk } from "./hold-to-talk";
import type { RecorderPort } from "./ports";
import { Scope } from "./scope";

/** Elements that have a use for the space bar themselves. */
const OWN_SPACE =
  "input, textarea, select, button:not(.cv-record), summary, a, [role=slider], [contenteditable]";

/** Hold to talk for a whole widget: the space bar inside it, Escape to leave, and the round button's presses. */
export function useTalk(recorder: RecorderPort, send: (take: string) => void) {
  const talk = useMemo(() => new HoldToTalk(recorder, send), [recorder]);
  useEffect(() => {
    const scope = new Scope();
    scope.add(() => talk.close());
    // The key that comes up in another window is never seen here.
    scope.listen(window, "blur", () => talk.lose());
    return () => scope.close();
  }, [talk]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") talk.escape();
    if (!isTalkKey(event)) return;
    event.preventDefault();
    if (event.repeat || talk.press()) return;
    if (recorder.phase.peek().kind === "recording" && !talk.held) recorder.stop();
  };
  const onKeyUp = (event: KeyboardEvent): void => {
    if (!isTalkKey(event)) return;
    event.preventDefault();
    talk.release();
  };
  return { talk, keys: { onKeyDown, onKeyUp } };
}

function isTalkKey(event: KeyboardEvent): boolean {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  return (
    event.key === " " && plain && event.target instanceof Element && event.target.closest(OWN_SPACE) === null
  );
}
