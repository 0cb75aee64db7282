/** A turn of a saved output: what the file has of it, and what its kernel adds while that is there. */

import { signal, type ReadonlySignal } from "@preact/signals";
import type { PlayerPort, TurnCard, TurnPort } from "../core";
import { Scope } from "../core/scope";
import type { JsonObject } from "../rpc";
import { TurnAsks } from "../turn-asks";
import { AskedPlayer } from "./asked-player";

export interface OwnedPlayer extends PlayerPort {
  close(): void;
}

/** The sounds that the file itself holds; null for one that it does not. */
export interface HeldSounds {
  readonly player: OwnedPlayer;
  readonly said: ReadonlyArray<OwnedPlayer | null>;
}

/** How a turn asks the kernel, while that is possible. */
export type Asks = ReadonlySignal<TurnAsks | null>;

/** Its ways to the kernel come and go: whoever draws one reads a signal with it, and is drawn anew. */
export class SavedTurn implements TurnPort {
  readonly card: ReadonlySignal<TurnCard>;
  readonly progress_s = signal(0);
  readonly decide = null;
  readonly #held: HeldSounds;
  readonly #asks: Asks;
  readonly #scope = new Scope();
  readonly #sounds = new Map<string, AskedPlayer>();
  readonly #others = new Map<string, SavedTurn>();

  /** `follow` gives the way to the kernel until its scope closes. */
  constructor(card: TurnCard, held: HeldSounds, follow: (scope: Scope) => Asks) {
    this.card = signal(card);
    this.#held = held;
    this.#asks = follow(this.#scope);
    this.#scope.add(() => {
      held.player.close();
      for (const said of held.said) said?.close();
      this.#letGo();
    });
    this.#scope.add(this.#asks.subscribe((asks) => asks === null && this.#letGo()));
  }

  get player(): PlayerPort {
    return this.#held.player;
  }

  stop(): void {
    // It has ended.
  }

  said(part: number): PlayerPort | null {
    const input = this.card.peek().input[part];
    if (input?.kind !== "sound") return null;
    return this.#held.said[part] ?? this.#asked({ part }, input.duration_s);
  }

  choice(index: number): PlayerPort | null {
    const others = this.card.peek().other_choices?.choices ?? [];
    const sound = others.find((choice) => choice.index === index)?.sound ?? null;
    return sound === null ? null : this.#asked({ choice: index }, sound.duration_s);
  }

  get allLogprobs(): TurnPort["allLogprobs"] {
    return this.#asks.value?.logprobs ?? null;
  }

  get rawEvents(): TurnPort["rawEvents"] {
    return this.#asks.value?.events ?? null;
  }

  get version(): TurnPort["version"] {
    return this.#asks.value === null ? null : this.#version;
  }

  /** Stop its sounds, and ask nothing more. */
  close(): void {
    this.#scope.close();
  }

  readonly #version = async (id: string): Promise<TurnPort | string> => {
    const known = this.#others.get(id);
    const asks = this.#asks.peek();
    if (known !== undefined || asks === null) return known ?? "The kernel has the turn no more.";
    const card = await asks.version(id);
    if (typeof card === "string") return card;
    // The kernel may have gone meanwhile, or somebody may have asked twice.
    if (this.#asks.peek() !== asks) return "The kernel has the turn no more.";
    const its = new TurnAsks(id, asks.ask);
    const { sound } = card.reply;
    const player = sound === null ? NO_SOUND : new AskedPlayer(sound.duration_s, () => its.sound());
    const other = this.#others.get(id) ?? new SavedTurn(card, { player, said: [] }, () => signal(its));
    this.#others.set(id, other);
    return other;
  };

  #asked(wanted: JsonObject, duration_s: number): AskedPlayer | null {
    const asks = this.#asks.value;
    if (asks === null) return null;
    const name = JSON.stringify(wanted);
    const player = this.#sounds.get(name) ?? new AskedPlayer(duration_s, () => asks.sound(wanted));
    this.#sounds.set(name, player);
    return player;
  }

  /** What came from the kernel goes with it. */
  #letGo(): void {
    for (const player of this.#sounds.values()) player.close();
    for (const other of this.#others.values()) other.close();
    this.#sounds.clear();
    this.#others.clear();
  }
}

export const NO_SOUND: OwnedPlayer = {
  phase: signal("empty"),
  position_s: signal(0),
  duration_s: signal(0),
  play: () => undefined,
  pause: () => undefined,
  seek: () => undefined,
  speed: signal(1),
  setSpeed: () => undefined,
  loop: signal(null),
  setLoop: () => undefined,
  samples: () => Promise.resolve(null),
  file: () => Promise.resolve(null),
  close: () => undefined,
};
