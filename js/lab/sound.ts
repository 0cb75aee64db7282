/** Finds the sound of saved turns among the other forms of the same output. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import type { ReadonlyPartialJSONObject } from "@lumino/coreutils";
import { signal } from "@preact/signals";
import { decodeSound } from "../audio/decode";
import { adoptPlayer, bytesAt, FilePlayer } from "../audio/file-player";
import type { TurnCard } from "../core";
import type { KernelLink } from "./kernel-link";
import { NO_SOUND, SavedTurn, type OwnedPlayer } from "./saved-turn";

/** Where a saved output may find what does not lie in it. */
export interface Surroundings {
  /** Files beside the notebook. */
  readonly resolver: IRenderMime.IResolver | null;
  /** The notebook's kernel. */
  readonly link: KernelLink | null;
}

/** Multi-line text of a notebook may be one string or a list of lines. */
export function textOf(data: ReadonlyPartialJSONObject, mime: string): string {
  const value = data[mime];
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.filter((line) => typeof line === "string").join("") : "";
}

/**
 * The sounds that the HTML of an output holds, in order; an address that is not sound inside the file becomes null.
 *
 * The HTML may be hostile: it is parsed into a document of its own, where nothing runs and nothing is fetched. No audio
 * element is made there: Chromium keeps one that has controls for ever, and with it the document and all its sound.
 */
export function soundsIn(html: string): ReadonlyArray<string | null> {
  const page = new DOMParser().parseFromString(html.replace(/<audio\b/gi, "<x-audio"), "text/html");
  return [...page.querySelectorAll("x-audio[src]")].map((audio) => {
    const source = audio.getAttribute("src") ?? "";
    return source.startsWith("data:audio/") ? source : null;
  });
}

/** The sounds that a `.turn.json` file holds; null for one that is not there. */
export interface FileSounds {
  readonly reply: string | null;
  readonly said: ReadonlyArray<string | null>;
}

const NO_SOUNDS: FileSounds = { reply: null, said: [] };

/** Only sound that lies in the file itself: an address would let it ask others. */
export function soundsOf(form: unknown): FileSounds {
  const inside = (value: unknown): string | null =>
    typeof value === "string" && SOUND.test(value) ? value : null;
  const { sound, said } = (typeof form === "object" && form !== null ? form : {}) as {
    sound?: unknown;
    said?: unknown;
  };
  return { reply: inside(sound), said: Array.isArray(said) ? said.map(inside) : [] };
}

const SOUND = /^data:audio\/[a-z0-9.+-]+;base64,/;

function mimeOf(address: string): string {
  return address.slice("data:".length, address.indexOf(";"));
}

/** Each card with its sound: the n-th sound that does not lie beside the notebook is the n-th of the HTML. */
export async function savedTurns(
  cards: readonly TurnCard[],
  html: string,
  { resolver, link }: Surroundings,
  file: FileSounds = NO_SOUNDS,
): Promise<readonly SavedTurn[]> {
  const inside = [...soundsIn(html)];
  return Promise.all(
    cards.map(async (card) => {
      const { sound } = card.reply;
      const held = sound !== null && sound.href === null ? (file.reply ?? inside.shift() ?? null) : null;
      const player = await playerOf(card, held, resolver);
      const said = card.input.map((part, index) => {
        const content = file.said[index] ?? null;
        if (part.kind !== "sound" || content === null) return null;
        return new FilePlayer({ content, mime: mimeOf(content), duration_s: part.duration_s });
      });
      return new SavedTurn(card, { player, said }, (scope) => link?.follow(card.id, scope) ?? signal(null));
    }),
  );
}

async function playerOf(
  card: TurnCard,
  held: string | null,
  resolver: IRenderMime.IResolver | null,
): Promise<OwnedPlayer> {
  const { sound } = card.reply;
  const find = async (): Promise<string | null> => held ?? beside(sound?.href ?? null, resolver);
  const live = adoptPlayer(card.id, async () => {
    const address = await find();
    const bytes = address === null ? null : await bytesAt(address);
    return bytes && decodeSound(bytes.buffer);
  });
  if (live !== null) return live;
  if (sound === null) return NO_SOUND;
  const address = await find();
  if (address === null) return NO_SOUND;
  return new FilePlayer({ content: address, mime: sound.mime, duration_s: sound.duration_s });
}

/** Where the server gives out a file beside the notebook; null for any address that would lead elsewhere. */
async function beside(href: string | null, resolver: IRenderMime.IResolver | null): Promise<string | null> {
  if (href === null || resolver === null || !isRelative(href)) return null;
  try {
    return await resolver.getDownloadUrl(await resolver.resolveUrl(href));
  } catch (error) {
    console.warn("[cellvoice] the sound beside the notebook could not be found", error);
    return null;
  }
}

/** A path beside the notebook: no scheme, no other server, not from the root. */
function isRelative(address: string): boolean {
  return address !== "" && !/^([a-z][a-z0-9+.-]*:|[/\\])/i.test(address);
}
