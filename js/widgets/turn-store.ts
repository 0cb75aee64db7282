/** One turn on the page: the kernel's events become the card's signals and the player's samples. */

import { signal, type ReadonlySignal } from "@preact/signals";
import type { Decide, PlayerPort, TurnPort } from "../core/ports";
import { pageClock, type Clock, type Scope } from "../core/scope";
import type { Json } from "../core/settings";
import type { TurnCard, TurnMarks } from "../core/turn";
import { decodeSound, type DecodeSound } from "../audio/decode";
import { samplesFromBytes } from "../audio/pcm";
import { StreamPlayer } from "../audio/playback";
import type { Speakers } from "../audio/sink";
import type { Channel, JsonObject } from "../rpc";
import { TurnAsks, whyNot } from "../turn-asks";
import type { PageEvent } from "./events";
import { LivePeaks } from "./live-peaks";

/** A turn asked longer ago is history that a new page is being told, unless it still runs. */
const RECENT_MS = 30_000;
const STILL_RUNS_MS = 300;

/** The page as the stores see it; tests put clocks and silent speakers here. */
export interface PageParts {
  readonly clock?: Clock;
  readonly speakers?: Speakers;
  readonly decode?: DecodeSound;
  readonly today_ms?: () => number;
}

export class TurnStore implements TurnPort {
  readonly id: string;
  readonly #channel: Channel;
  readonly #asks: TurnAsks;
  readonly #scope: Scope;
  readonly #parts: PageParts;
  readonly #card;
  readonly #progress_s = signal(0);
  readonly #player: StreamPlayer;
  readonly #peaks = new LivePeaks();
  readonly #said = new Map<string, StreamPlayer>();
  readonly #others = new Map<string, TurnStore>();
  #heard = false;

  constructor(id: string, card: TurnCard, channel: Channel, scope: Scope, parts: PageParts) {
    this.id = id;
    this.#channel = channel;
    this.#asks = new TurnAsks(id, (...asked) => channel.request(...asked));
    this.#scope = scope.child();
    this.#parts = parts;
    this.#card = signal(card);
    this.#player = new StreamPlayer({ turn: id, ...parts });
    this.#scope.add(() => (this.running ? this.#player.close() : this.#player.release()));
  }

  get card(): ReadonlySignal<TurnCard> {
    return this.#card;
  }

  get player(): PlayerPort {
    return this.#player;
  }

  get progress_s(): ReadonlySignal<number> {
    return this.#progress_s;
  }

  get running(): boolean {
    return this.#card.peek().state === "running";
  }

  stop(): void {
    this.#player.pause();
    if (this.running) void this.#channel.request("stop", { turn: this.id });
  }

  said(part: number): PlayerPort | null {
    const input = this.#card.peek().input[part];
    if (input?.kind !== "sound") return null;
    return this.#soundOf({ part }, input.duration_s);
  }

  choice(index: number): PlayerPort | null {
    const others = this.#card.peek().other_choices?.choices ?? [];
    const sound = others.find((choice) => choice.index === index)?.sound ?? null;
    return sound === null ? null : this.#soundOf({ choice: index }, sound.duration_s);
  }

  /** The player of a sound besides the reply's own, which the kernel knows by these words. */
  #soundOf(wanted: JsonObject, duration_s: number): PlayerPort {
    const name = JSON.stringify(wanted);
    let player = this.#said.get(name);
    if (player === undefined) {
      player = new StreamPlayer({ turn: `${this.id}/${name}`, ...this.#parts });
      player.offer(duration_s, () => this.#fetchSound(wanted));
      this.#said.set(name, player);
      const opened = player;
      this.#scope.add(() => opened.close());
    }
    return player;
  }

  readonly decide: Decide = async (call, { action, args, reason }) => {
    const answer = await this.#channel.request("turn.decide", {
      turn: this.id,
      call: call.id,
      hash: call.hash,
      action,
      ...(args === undefined ? {} : { arguments: args }),
      ...(reason === undefined || reason === "" ? {} : { reason }),
    });
    return whyNot(answer);
  };

  readonly allLogprobs = () => this.#asks.logprobs();
  readonly rawEvents = () => this.#asks.events();

  readonly version = async (id: string): Promise<TurnPort | string> => {
    const known = this.#others.get(id);
    if (known !== undefined) return known;
    const card = await this.#asks.version(id);
    if (typeof card === "string") return card;
    const other = new TurnStore(id, card, this.#channel, this.#scope, this.#parts);
    other.end(card);
    this.#others.set(id, other);
    return other;
  };

  /** The calls as they stand now, and the course of the turn so far. */
  setTools({ tool_calls, trace }: Extract<PageEvent, { name: "turn.tools" }>): void {
    const card = this.#card.peek();
    if (card.state === "running") this.#card.value = { ...card, tool_calls, trace };
  }

  setPartial(partial: Json): void {
    const card = this.#card.peek();
    if (card.state === "running") this.#card.value = { ...card, partial };
  }

  /** A new page hears of a turn once more, or a turn begins again: the card is drawn from what is said now. */
  restart(card: TurnCard): void {
    this.#card.value = card;
  }

  addText({ text, words, words_estimated }: Extract<PageEvent, { name: "turn.text" }>): void {
    const card = this.#card.peek();
    if (card.state !== "running") return;
    this.#card.value = {
      ...card,
      reply: { ...card.reply, text: card.reply.text + text },
      ...(words.length > 0 ? { words: [...card.words, ...words], words_estimated } : {}),
    };
  }

  addSound({ start_frame, sample_rate_hz, pcm }: Extract<PageEvent, { name: "turn.audio" }>): void {
    const samples = samplesFromBytes(pcm);
    this.#player.feed(start_frame, samples, sample_rate_hz);
    const card = this.#card.peek();
    if (card.state === "running") {
      const sound = this.#peaks.add(start_frame, samples, sample_rate_hz);
      this.#card.value = { ...card, reply: { ...card.reply, kind: "speech", sound } };
    }
    if (this.#heard) return;
    this.#heard = true;
    const today_ms = (this.#parts.today_ms ?? Date.now)();
    if (today_ms - Date.parse(this.#card.peek().asked_at) < RECENT_MS) this.#player.autoPlay();
    else
      this.#scope.after(
        STILL_RUNS_MS,
        () => this.running && this.#player.autoPlay(),
        this.#parts.clock ?? pageClock,
      );
  }

  /** What was noted about the turn; a card that begins again has some of it already. */
  addNotice(notice: string): void {
    const card = this.#card.peek();
    if (card.state !== "running" || card.notices.includes(notice)) return;
    this.#card.value = { ...card, notices: [...card.notices, notice] };
  }

  setProgress(speech_s: number): void {
    this.#progress_s.value = speech_s;
  }

  end(card: TurnCard): void {
    this.#card.value = card;
    this.#player.finish();
    if (card.state === "stopped") this.#player.pause();
    if (card.reply.sound !== null) this.#player.offer(card.reply.sound.duration_s, () => this.#fetchSound());
  }

  /** What the kernel sent makes no sense; the card must not run for ever. */
  fail(reason: string): void {
    const card = this.#card.peek();
    this.#player.finish();
    this.#card.value = { ...card, state: "failed", error: { name: "TurnFormatError", message: reason } };
  }

  /** Where it stands in the conversation now. */
  mark({ stale, versions }: TurnMarks): void {
    const card = this.#card.peek();
    const same = JSON.stringify(card.versions) === JSON.stringify(versions);
    if (card.stale !== stale || !same) this.#card.value = { ...card, stale, versions };
  }

  /** It is no part of the conversation any more. */
  leave(): void {
    this.#player.close();
    this.#scope.close();
  }

  /** The page sees the turn no more while its reply still comes: nobody listens. */
  hush(): void {
    if (this.running) this.#player.pause();
  }

  /** The reply's sound, or that of a part of what was said, or of another choice. */
  async #fetchSound(wanted: JsonObject = {}): Promise<Int16Array | null> {
    const bytes = await this.#asks.sound(wanted);
    return bytes && (this.#parts.decode ?? decodeSound)(bytes.buffer);
  }
}
