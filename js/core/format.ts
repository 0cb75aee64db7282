/** How numbers are written for a listener. */

/** "1.6 s", "2 min 05 s". */
export function seconds(duration_s: number): string {
  const whole = Math.round(duration_s);
  if (whole < 60) return `${duration_s.toFixed(1)} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** "1.6" below a minute, "2:05" above it; `of_s` decides, so that both halves of "1:02 / 2:05" look alike. */
export function clock(time_s: number, of_s: number = time_s): string {
  if (of_s < 60) return time_s.toFixed(1);
  const whole = Math.floor(time_s);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** "0:07.3", for something that is being recorded. */
export function stopwatch(time_s: number): string {
  const tenths = Math.floor(time_s * 10);
  const rest_s = (tenths % 600) / 10;
  return `${Math.floor(tenths / 600)}:${rest_s.toFixed(1).padStart(4, "0")}`;
}

/** Four digits while it is small money, so that one turn is never shown as nothing. */
export function usd(amount_usd: number): string {
  if (amount_usd === 0) return "$0";
  if (amount_usd > 0 && amount_usd < 0.00005) return "< $0.0001";
  return `$${amount_usd.toFixed(Math.abs(amount_usd) < 0.1 ? 4 : 2)}`;
}

export function count(amount: number, one: string): string {
  return `${amount.toLocaleString("en-US")} ${one}${amount === 1 ? "" : "s"}`;
}

/** A date and a time in the reader's own zone and words. */
export function localTime(when: Date): string {
  return when.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** "0.41 s": how long something took that may have been over at once. */
export function hundredths(took_s: number): string {
  return took_s < 0.005 ? "under 0.01 s" : `${took_s.toFixed(2)} s`;
}
