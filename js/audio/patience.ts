/** How long a page is given to let sound out before a click is asked for. */

/** Sound that is not let out after this long waits for a click: on a page nobody has touched, on one that was
 * touched, and after a click of our own, when a busy machine is slow (2 s were seen) but nothing forbids. */
const UNTOUCHED_MS = 400;
const TOUCHED_MS = 5_000;
export const CLICKED_MS = 20_000;

/** For a reply that plays by itself. */
export function unaskedPatience_ms(): number {
  const { userActivation } = navigator as { userActivation?: UserActivation };
  // A browser that cannot say whether the person has clicked or typed is given the longer time.
  return (userActivation?.hasBeenActive ?? true) ? TOUCHED_MS : UNTOUCHED_MS;
}
