import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { localTime } from "./format";
import { Scope } from "./scope";

const MINUTE_MS = 60_000;

/** How long the service keeps a reply's voice: minutes that run down, and when that is. */
export function ExpiryClock({ expires_at_s }: { expires_at_s: number }) {
  const now_ms = useSignal(Date.now());
  useEffect(() => {
    const scope = new Scope();
    scope.every(MINUTE_MS / 2, () => (now_ms.value = Date.now()));
    return () => scope.close();
  }, []);
  const left_minutes = Math.ceil((expires_at_s * 1000 - now_ms.value) / MINUTE_MS);
  const when = localTime(new Date(expires_at_s * 1000));
  if (left_minutes <= 0) return <>gone since {when}</>;
  return (
    <>
      {left_minutes < 60
        ? `${left_minutes} min left`
        : `${Math.floor(left_minutes / 60)} h ${left_minutes % 60} min left`}
      , until {when}
    </>
  );
}
