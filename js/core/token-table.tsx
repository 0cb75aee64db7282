import type { Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { percent, signed, textOf, visible, type Unit } from "./tokens";
import { rowByKey, useRowWindow } from "./window-rows";

const ROW_PX = 28;
const MOST_ROWS = 13;
/** A row has room for about this many; the panel has them all. */
const IN_A_ROW = 6;

interface TableProps {
  readonly units: readonly Unit[];
  /** Index of the chosen unit in `all`. */
  readonly current: Signal<number>;
  readonly all: readonly Unit[];
}

/** Every token with its numbers; only the rows in sight exist. */
export function TokenTable({ units, current, all }: TableProps) {
  const id = useMemo(() => `cv-${Math.random().toString(36).slice(2)}`, []);
  const height_px = ROW_PX * Math.max(1, Math.min(MOST_ROWS, units.length));
  const { box, from, to, reveal } = useRowWindow(units.length, ROW_PX, height_px);
  const chosen = all[current.value];
  const at = chosen === undefined ? -1 : units.indexOf(chosen);
  const choose = (row: number): void => {
    const unit = units[Math.max(0, Math.min(units.length - 1, row))];
    if (unit !== undefined) current.value = all.indexOf(unit);
  };
  useEffect(() => {
    if (at >= 0) reveal(at);
  }, [at]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rowByKey(event.key, at, units.length, MOST_ROWS);
    if (row === null) return;
    event.preventDefault();
    choose(row);
  };
  return (
    <div
      class="cv-table"
      role="grid"
      tabIndex={0}
      aria-label="tokens of the reply"
      aria-rowcount={units.length + 1}
      aria-activedescendant={at >= from && at < to ? `${id}-${at}` : undefined}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup">
        <div class="cv-row cv-columns" role="row" aria-rowindex={1}>
          {["#", "token", "probability", "log", "entropy", "alternatives"].map((name) => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
      </div>
      <div class="cv-rows" role="rowgroup" ref={box} style={`height:${height_px}px`}>
        <div role="presentation" style={`height:${units.length * ROW_PX}px`}>
          <div role="presentation" style={`transform:translateY(${from * ROW_PX}px)`}>
            {units.slice(from, to).map((unit, index) => (
              <Row
                key={unit.position}
                unit={unit}
                id={`${id}-${from + index}`}
                row={from + index}
                chosen={from + index === at}
                onChoose={choose}
              />
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  readonly unit: Unit;
  readonly id: string;
  readonly row: number;
  readonly chosen: boolean;
  readonly onChoose: (row: number) => void;
}

function Row({ unit, id, row, chosen, onChoose }: RowProps) {
  const others = unit.alternatives.filter((other) => textOf(other) !== unit.text).slice(0, IN_A_ROW);
  return (
    <div
      class="cv-row"
      role="row"
      id={id}
      aria-rowindex={row + 2}
      aria-selected={chosen}
      onClick={() => onChoose(row)}
    >
      <span role="gridcell" class="cv-number">
        {unit.position}
      </span>
      <span role="gridcell">
        <code dir="auto">{visible(unit.text)}</code>
      </span>
      <span role="gridcell" class="cv-probability">
        <span class="cv-share">
          <i style={`width:${(unit.probability * 100).toFixed(1)}%`} />
        </span>
        <span class="cv-number">{percent(unit.probability)}</span>
      </span>
      <span role="gridcell" class="cv-number">
        {signed(unit.logprob)}
      </span>
      <span role="gridcell" class="cv-number">
        {unit.entropy_nat === null ? "–" : unit.entropy_nat.toFixed(2)}
      </span>
      <span role="gridcell" class="cv-others">
        {others.map((other, index) => (
          <span key={index} style={`--p:${(Math.exp(other.logprob) * 100).toFixed(1)}%`}>
            <code dir="auto">{visible(textOf(other))}</code>
            {percent(Math.exp(other.logprob))}
          </span>
        ))}
      </span>
    </div>
  );
}
