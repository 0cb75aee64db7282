import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Rows above and below the visible ones, so that a turn of the wheel meets rows that are there already. */
const SPARE_ROWS = 12;

interface RowWindow {
  readonly box: { current: HTMLDivElement | null };
  /** The first row to be drawn, and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly onScroll: () => void;
  /** Bring a row into sight. */
  readonly reveal: (row: number) => void;
}

/** Which rows of a scrolling box are to be drawn, for rows that are all `row_px` high. */
export function useRowWindow(count: number, row_px: number, height_px: number): RowWindow {
  const box = useRef<HTMLDivElement>(null);
  // In steps of a few rows: most scroll events then draw nothing anew.
  const first = useSignal(0);
  const step = SPARE_ROWS / 2;
  const onScroll = (): void => {
    first.value = Math.floor((box.current?.scrollTop ?? 0) / row_px / step) * step;
  };
  useLayoutEffect(onScroll, [count]);
  const visible = Math.ceil(height_px / row_px);
  const reveal = (row: number): void => {
    const element = box.current;
    if (element === null) return;
    const top_px = row * row_px;
    if (top_px < element.scrollTop) element.scrollTop = top_px;
    else if (top_px + row_px > element.scrollTop + height_px) element.scrollTop = top_px + row_px - height_px;
    onScroll();
  };
  const from = Math.max(0, Math.min(first.value, count - visible) - SPARE_ROWS);
  return { box, from, to: Math.min(count, from + visible + step + 2 * SPARE_ROWS), onScroll, reveal };
}
