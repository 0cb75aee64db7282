import type { Alternative } from "./details";
import { percent, signed, textOf, visible, type Unit } from "./tokens";

const ROW_PX = 22;

/** One token: its numbers, and what could have stood in its place; `rows` are kept free, so that nothing moves from one to the next. */
export function TokenPanel({ unit, rows }: { unit: Unit; rows: number }) {
  return (
    <div class="cv-token">
      <p class="cv-token-head">
        <code dir="auto">{visible(unit.text)}</code>
        <b>{percent(unit.probability)}</b>
        <span class="cv-quiet">
          #{unit.position} · log {signed(unit.logprob)}
          {unit.entropy_nat === null ? "" : ` · entropy ${unit.entropy_nat.toFixed(2)}`}
          {unit.joined > 1 ? ` · joined of ${unit.joined} tokens` : ""}
        </span>
      </p>
      {unit.alternatives.length === 0 ? (
        <p class="cv-quiet">No alternatives were asked for: top_logprobs=5 gives five.</p>
      ) : (
        <ol
          class="cv-alternatives"
          tabIndex={0}
          aria-label="alternatives"
          style={`height:${rows * ROW_PX}px`}
        >
          {shown(unit).map((alternative, index) => (
            <Bar key={index} alternative={alternative} chosen={isChosen(alternative, unit)} />
          ))}
        </ol>
      )}
    </div>
  );
}

/** The alternatives, and what was chosen also where it was not among the likely ones. */
function shown(unit: Unit): readonly Alternative[] {
  if (unit.joined > 1 || unit.alternatives.some((alternative) => isChosen(alternative, unit)))
    return unit.alternatives;
  return [...unit.alternatives, { text: unit.text, bytes: unit.bytes, logprob: unit.logprob }];
}

function isChosen(alternative: Alternative, unit: Unit): boolean {
  return unit.joined === 1 && textOf(alternative) === unit.text;
}

function Bar({ alternative, chosen }: { alternative: Alternative; chosen: boolean }) {
  const probability = Math.exp(alternative.logprob);
  return (
    <li data-chosen={chosen}>
      <code dir="auto">{visible(textOf(alternative))}</code>
      <span class="cv-share">
        <i style={`width:${(probability * 100).toFixed(2)}%`} />
      </span>
      <span class="cv-number">{percent(probability)}</span>
      {chosen ? <span class="cv-unseen">chosen</span> : null}
    </li>
  );
}
