/** Which sounds a page keeps decoded: those that were heard last. The others are fetched again when they are played. */

import { pageAudio, type PageAudio } from "./context";

/** 5.8 MB: more than anybody goes back to at once, and no more after hours of talk. */
export const ROOM_S = 120;

/** A sound at rest that can be had again. */
export interface Kept {
  duration_s(): number;
  /** Let the samples go. */
  drop(): void;
}

/** Put a sound at rest on the shelf, as the newest; the oldest that there is no room for are dropped. */
export function shelve(kept: Kept, page: PageAudio = pageAudio()): void {
  takeDown(kept, page);
  const shelf = (page.shelf ??= []);
  shelf.push(kept);
  let held_s = shelf.reduce((sum, one) => sum + one.duration_s(), 0);
  for (const one of shelf.slice(0, -1)) {
    if (held_s <= ROOM_S) return;
    held_s -= one.duration_s();
    takeDown(one, page);
    one.drop();
  }
}

/** It plays now, or is gone: nobody drops it. */
export function takeDown(kept: Kept, page: PageAudio = pageAudio()): void {
  const place = page.shelf?.indexOf(kept) ?? -1;
  if (place >= 0) page.shelf?.splice(place, 1);
}
