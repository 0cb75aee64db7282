import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Logprobs } from "./details";
import { Fold } from "./fold";
import { count } from "./format";
import type { TurnPort } from "./ports";
import { TokenMap } from "./token-map";
import { TokenPanel } from "./token-panel";
import { TokenTable } from "./token-table";
import { signed, summaryOf, UNCERTAIN, unitsOf, type Unit } from "./tokens";
import { useWaiting } from "./use-waiting";

interface ProbabilitiesProps {
  readonly logprobs: Logprobs;
  readonly loadAll: TurnPort["allLogprobs"];
}

/** How sure the model was of each token: one line, and opened the text as a heat map or a table. */
export function ProbabilitiesView({ logprobs: known, loadAll }: ProbabilitiesProps) {
  const whole = useSignal<Logprobs | null>(null);
  const logprobs = whole.value ?? known;
  const { tokens } = logprobs;
  const units = useMemo(() => unitsOf(tokens), [tokens]);
  const summary = useMemo(() => summaryOf(logprobs, units), [logprobs, units]);
  if (summary === null) return null;
  const line = (
    <>
      <span>perplexity {summary.perplexity.toFixed(2)}</span>
      <span class="cv-roomy">mean log {signed(summary.mean_logprob)}</span>
      <span>
        {summary.uncertain} of {count(summary.tokens, "token")} uncertain
      </span>
    </>
  );
  return (
    <Fold title="Probabilities" line={line}>
      {() => (
        <>
          <Tokens units={units} />
          <More logprobs={logprobs} loadAll={loadAll} onLoad={(all) => (whole.value = all)} />
        </>
      )}
    </Fold>
  );
}

function Tokens({ units }: { units: readonly Unit[] }) {
  const asTable = useSignal(false);
  const only = useSignal(false);
  const current = useSignal(useMemo(() => leastLikely(units), []));
  const uncertain = useMemo(() => units.filter(({ probability }) => probability < UNCERTAIN), [units]);
  const rows = useMemo(() => Math.max(...units.map((unit) => unit.alternatives.length)) + 1, [units]);
  const unit = units[Math.min(current.value, units.length - 1)];
  return (
    <>
      <div class="cv-tools">
        <div class="cv-choice" role="group" aria-label="shown as">
          {(["text", "table"] as const).map((form) => (
            <button
              key={form}
              type="button"
              class="cv-button"
              aria-pressed={asTable.value === (form === "table")}
              onClick={() => (asTable.value = form === "table")}
            >
              {form}
            </button>
          ))}
        </div>
        <label class="cv-check">
          <input
            type="checkbox"
            checked={only.value}
            onChange={(event) => (only.value = event.currentTarget.checked)}
          />
          uncertain only
        </label>
        {asTable.value ? null : <Legend />}
      </div>
      <div class="cv-tokens" data-as={asTable.value ? "table" : "text"}>
        {!asTable.value ? (
          <TokenMap units={units} current={current} onlyUncertain={only.value} />
        ) : only.value && uncertain.length === 0 ? (
          <p class="cv-quiet">No token was less likely than {UNCERTAIN * 100} %.</p>
        ) : (
          <TokenTable units={only.value ? uncertain : units} all={units} current={current} />
        )}
        {unit ? <TokenPanel unit={unit} rows={rows} /> : null}
      </div>
    </>
  );
}

interface MoreProps {
  readonly logprobs: Logprobs;
  readonly loadAll: TurnPort["allLogprobs"];
  readonly onLoad: (all: Logprobs) => void;
}

/** What was left out for its size, and a way to it while there is a kernel. */
function More({ logprobs: { more }, loadAll, onLoad }: MoreProps) {
  const trouble = useSignal("");
  const { slow, ask } = useWaiting();
  if (more === 0) return null;
  const load = async (): Promise<void> => {
    const all = (await loadAll?.()) ?? "";
    if (typeof all === "string") trouble.value = all;
    else onLoad(all);
  };
  return (
    <p class="cv-note">
      <span>
        {count(more, "more token")} of this reply {more === 1 ? "is" : "are"} not in the notebook;
        turn.logprobs has them all.{" "}
        {loadAll === null ? "" : slow.value ? "Asking the kernel …" : trouble.value}
      </span>
      {loadAll === null ? null : (
        <button type="button" class="cv-button cv-small" aria-disabled={slow.value} onClick={() => ask(load)}>
          Show all
        </button>
      )}
    </p>
  );
}

/** What the colours of the map mean. */
function Legend() {
  return (
    <span class="cv-legend cv-quiet" aria-hidden="true">
      <span class="cv-heat">
        {[0, 1, 2, 3, 4, 5].map((step) => (
          <span key={step} data-p={step} />
        ))}
      </span>
      likely to unlikely
    </span>
  );
}

/** Where a reader will look first. */
function leastLikely(units: readonly Unit[]): number {
  let least = 0;
  units.forEach((unit, index) => {
    if (unit.logprob < (units[least]?.logprob ?? 0)) least = index;
  });
  return least;
}
