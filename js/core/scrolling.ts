/** Some twenty screens of text: more than that would push the rest of the notebook out of reach. */
const LONG_LETTERS = 20_000;

/** What a paragraph needs to scroll in itself when its text is very long, by the keyboard too. */
export function scrolling(text: string): { readonly "data-long"?: true; readonly tabIndex?: 0 } {
  return text.length > LONG_LETTERS ? { "data-long": true, tabIndex: 0 } : {};
}
