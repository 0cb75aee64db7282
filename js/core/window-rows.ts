import { useSignal } from "@preact/signals";
import { elementScroll, observeElementOffset, Virtualizer, type Rect } from "@tanstack/virtual-core";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Rows above and below the visible ones, so that a turn of the wheel meets rows that are there already. */
const SPARE_ROWS = 12;
/** A few rows at a time: most scroll events then draw nothing anew. */
const STEP_ROWS = SPARE_ROWS / 2;

interface RowWindow {
  readonly box: { current: HTMLDivElement | null };
  /** The first row to be drawn, and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Bring a row into sight. */
  readonly reveal: (row: number) => void;
}

/** Which rows of a scrolling box are to be drawn, for rows that are all `row_px` high. */
export function useRowWindow(count: number, row_px: number, height_px: number): RowWindow {
  const box = useRef<HTMLDivElement>(null);
  const first = useSignal(0);
  const made = useRef<Virtualizer<HTMLDivElement, Element> | null>(null);
  const options = {
    count,
    overscan: 0,
    getScrollElement: () => box.current,
    estimateSize: () => row_px,
    scrollToFn: elementScroll,
    observeElementOffset,
    // The height is given, so nothing needs to be laid out to know it.
    observeElementRect: (_: unknown, tell: (rect: Rect) => void) => tell({ width: 0, height: height_px }),
    initialRect: { width: 0, height: height_px },
    onChange: (rows: Virtualizer<HTMLDivElement, Element>) => {
      first.value = Math.floor((rows.range?.startIndex ?? 0) / STEP_ROWS) * STEP_ROWS;
    },
  };
  const rows = (made.current ??= new Virtualizer(options));
  rows.setOptions(options);
  useLayoutEffect(() => rows._didMount(), []);
  useLayoutEffect(() => rows._willUpdate());
  const visible = Math.ceil(height_px / row_px);
  const from = Math.max(0, Math.min(first.value, count - visible) - SPARE_ROWS);
  return {
    box,
    from,
    to: Math.min(count, from + visible + STEP_ROWS + 2 * SPARE_ROWS),
    reveal: (row) => rows.scrollToIndex(row),
  };
}

/** Where a key leads in a list with so many rows, `visible` of them in sight; null where it leads nowhere. */
export function rowByKey(key: string, at: number, count: number, visible: number): number | null {
  switch (key) {
    case "ArrowDown":
      return at + 1;
    case "ArrowUp":
      return at - 1;
    case "PageDown":
      return at + visible - 1;
    case "PageUp":
      return at - visible + 1;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
