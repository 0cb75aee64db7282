/** What talking costs, in words. */

import { usd } from "./format";

/** What the next turn costs. `history` is the conversation so far, which is sent again with it. */
export interface Price {
  readonly input_usd_per_s: number;
  readonly output_usd_per_s: number;
  readonly history_tokens: number;
  readonly history_usd: number;
}

/** What the session may cost, and what is left of it. */
export interface Budget {
  readonly limit_usd: number;
  readonly left_usd: number;
}

/** "about $0.0042, $0.0031 of it history": what it costs to send so many seconds of speech; "" where it costs nothing or nobody knows. */
export function sendPrice(duration_s: number, price: Price | null): string {
  if (price === null) return "";
  const whole_usd = duration_s * price.input_usd_per_s + price.history_usd;
  if (whole_usd === 0) return "";
  const history = price.history_usd > 0 ? `, ${usd(price.history_usd)} of it history` : "";
  return `about ${usd(whole_usd)}${history}`;
}

/** What it costs to send a few words: nearly all of it is the conversation before them. */
export function historyPrice(price: Price | null): string {
  return price !== null && price.history_usd > 0 ? `about ${usd(price.history_usd)} of history` : "";
}

/** What a minute of speaking costs; "" where nobody knows. */
export function rateOf(price: Price | null): string {
  if (price === null) return "";
  const { input_usd_per_s } = price;
  return input_usd_per_s > 0 ? `About ${usd(input_usd_per_s * 60)} a minute.` : "Costs nothing.";
}

/** What a minute of the reply costs; "" where nobody knows. */
export function replyRateOf(price: Price | null): string {
  if (price === null) return "";
  const { output_usd_per_s } = price;
  return output_usd_per_s > 0 ? `The reply: about ${usd(output_usd_per_s * 60)} a minute.` : "Costs nothing.";
}
