/** Which part of a text is spoken when. */

import type { TimedWord } from "./details";

/** A stretch of the text: a word with its times, or what stands between words. */
export interface Piece {
  readonly text: string;
  /** Index among the words, or null. */
  readonly word: number | null;
}

/** The text in pieces; together they are the whole text, whatever the words say. */
export function piecesOf(text: string, words: readonly TimedWord[]): readonly Piece[] {
  const letters = Array.from(text);
  const pieces: Piece[] = [];
  let done = 0;
  const add = (to: number, word: number | null): void => {
    if (to > done) pieces.push({ text: letters.slice(done, to).join(""), word });
    done = Math.max(done, to);
  };
  words.forEach((word, index) => {
    // A word that begins inside the one before, or past the end, has no letters of its own.
    if (word.from < done || word.to > letters.length || word.to <= word.from) return;
    add(word.from, null);
    add(word.to, index);
  });
  add(letters.length, null);
  return pieces;
}

/** The word that is spoken at a time, or the last one before it; −1 before the first. */
export function wordAt(words: readonly TimedWord[], time_s: number): number {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((words[middle]?.start_s ?? 0) <= time_s) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
