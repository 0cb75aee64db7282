/** Finds a turn's sound among the other forms of the same output. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import type { ReadonlyPartialJSONObject } from "@lumino/coreutils";
import type { TurnSound } from "../core";

/** Multi-line text of a notebook may be one string or a list of lines. */
export function textOf(data: ReadonlyPartialJSONObject, mime: string): string {
  const value = data[mime];
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.filter((line) => typeof line === "string").join("") : "";
}

/**
 * The address of the reply's sound: what the HTML of the output plays, else where the turn says it lies.
 *
 * Null when there is none. The HTML may be hostile: it is parsed into a document of its own, where nothing runs and nothing
 * is fetched, and only sound inside the file or a file beside the notebook is taken from it.
 */
export async function findSound(
  html: string,
  sound: TurnSound,
  resolver: IRenderMime.IResolver | null,
): Promise<string | null> {
  const page = new DOMParser().parseFromString(html, "text/html");
  const sources = [...page.querySelectorAll("audio[src]")].map((audio) => audio.getAttribute("src") ?? "");
  const inside = sources.find((source) => source.startsWith("data:audio/"));
  if (inside !== undefined) return inside;
  const beside = [...sources, sound.href ?? ""].find(isRelative);
  if (beside === undefined || resolver === null) return null;
  return resolver.getDownloadUrl(await resolver.resolveUrl(beside));
}

/** A path beside the notebook: no scheme, no other server, not from the root. */
function isRelative(address: string): boolean {
  return address !== "" && !/^([a-z][a-z0-9+.-]*:|[/\\])/i.test(address);
}
