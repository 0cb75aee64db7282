/** One widget model on the page: its channel, its turns, its recorder; the ports that the views draw from. */

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { Part } from "../core/document";
import type { ListenPort, PadPort, PadState } from "../core/ports";
import { pageClock, type Scope } from "../core/scope";
import { readValues } from "../core/settings";
import { Channel, type ChannelModel, type JsonObject } from "../rpc";
import type { KernelEvent } from "../rpc-messages";
import { parseEvent, type ListenPhase, type PageEvent, type PlacedTurn } from "./events";
import { Recorder, type RecorderParts } from "./recorder";
import { TurnStore, type PageParts } from "./turn-store";

/** A view that is drawn anew (cell moved, output re-attached) comes back at once. */
const GONE_MS = 500;

const NOTHING_KNOWN: PadState = {
  model: "",
  voice: "",
  badge: "",
  notice: "",
  price: null,
  cost_usd: 0,
  budget: null,
  journal: "",
  settings: null,
};

export interface StoreParts extends PageParts, RecorderParts {
  readonly lab?: boolean;
  readonly page?: string;
}

export class Store {
  readonly recorder: Recorder;
  readonly #channel: Channel;
  readonly #scope: Scope;
  readonly #parts: StoreParts;
  readonly #turns = signal<readonly TurnStore[]>([]);
  readonly #state = signal<PadState>(NOTHING_KNOWN);
  readonly #listen = signal<ListenPhase>("ready");
  readonly #sentence = signal("");
  readonly #trouble = signal("");
  readonly #draft = signal("");
  readonly #last = computed(() => this.#turns.value.at(-1) ?? null);
  /** Takes that are on their way; a second press of the button sends nothing twice. */
  readonly #sending = new Set<string>();
  #views = 0;

  constructor(model: ChannelModel, scope: Scope, parts: StoreParts = {}) {
    this.#scope = scope;
    this.#parts = parts;
    this.#channel = new Channel(model, scope, { ...parts, expecting: () => this.#expecting() });
    this.recorder = new Recorder(this.#channel, scope, parts);
    this.#channel.onEvent((event) => this.#take(event));
  }

  get turns(): ReadonlySignal<readonly TurnStore[]> {
    return this.#turns;
  }

  get lastTurn(): ReadonlySignal<TurnStore | null> {
    return this.#last;
  }

  get pad(): PadPort {
    return {
      state: this.#state,
      link: this.#channel.link,
      turns: this.#turns,
      recorder: this.recorder,
      trouble: this.#trouble,
      draft: this.#draft,
      sendText: (text) => void this.#send(`text ${text}`, { text }),
      sendTake: (take) => void this.#sendTake(take),
      set: (values) => this.#set(values),
    };
  }

  get listen(): ListenPort {
    return {
      state: this.#state,
      link: this.#channel.link,
      phase: this.#listen,
      sentence: this.#sentence,
      turn: this.#last,
      recorder: this.recorder,
      trouble: this.#trouble,
      sendTake: (take) => void this.#sendTake(take),
    };
  }

  /** A view is drawn; call the returned function when it goes. */
  viewed(): () => void {
    this.#views += 1;
    this.#channel.emit("view", { delta: 1 });
    let shown = true;
    return () => {
      if (!shown) return;
      shown = false;
      this.#views -= 1;
      this.#channel.emit("view", { delta: -1 });
      this.#scope.after(GONE_MS, () => this.#unseen(), this.#parts.clock ?? pageClock);
    };
  }

  /** Nobody sees the widget any more: a reply that still comes falls silent, and a recording is kept but ends. */
  #unseen(): void {
    if (this.#views > 0) return;
    for (const turn of this.#turns.peek()) turn.hush();
    this.recorder.stop();
  }

  #expecting(): boolean {
    return this.recorder.phase.peek().kind === "saving" || this.#turns.peek().some((turn) => turn.running);
  }

  async #sendTake(take: string): Promise<void> {
    if (await this.#send(`take ${take}`, { take })) this.recorder.sent(take);
  }

  /** Whether the kernel has taken it. */
  async #send(what: string, data: JsonObject): Promise<boolean> {
    if (this.#sending.has(what)) return false;
    this.#sending.add(what);
    const answer = await this.#channel.request("send", data);
    this.#sending.delete(what);
    this.#trouble.value = answer.kind === "error" ? answer.message : "";
    return answer.kind === "result";
  }

  async #set(values: JsonObject): Promise<string> {
    const answer = await this.#channel.request("settings", { values });
    switch (answer.kind) {
      case "result": {
        const state = this.#state.peek();
        if (state.settings === null) return "";
        const values = readValues(new Part(answer.data["values"], "values"));
        this.#state.value = { ...state, settings: { ...state.settings, values } };
        return "";
      }
      case "error":
        return answer.message;
      case "cancelled":
        return "The pad was closed before the kernel took it; run the cell again.";
      default:
        return answer satisfies never;
    }
  }

  #take(raw: KernelEvent): void {
    let event: PageEvent | null;
    try {
      event = parseEvent(raw);
    } catch (error) {
      console.error(`[cellvoice] ${raw.name} of the kernel is not as expected and is ignored`, error);
      if (raw.name === "turn.ended") this.#turn(raw.data["turn"])?.fail(String(error));
      return;
    }
    if (event === null) {
      console.warn(`[cellvoice] ${raw.name} is an event that this version does not know; it is ignored`);
      return;
    }
    this.#apply(event);
  }

  #apply(event: PageEvent): void {
    switch (event.name) {
      case "pad.state":
        this.#state.value = event.state;
        return;
      case "pad.turns":
        this.#place(event.turns);
        return;
      case "listen.state":
        this.#listen.value = event.phase;
        this.#sentence.value = event.sentence;
        if (event.phase === "closed") this.recorder.stop();
        return;
      case "turn.started":
        this.#begin(event);
        return;
      case "turn.text":
        this.#turn(event.turn)?.addText(event);
        return;
      case "turn.audio":
        this.#turn(event.turn)?.addSound(event);
        return;
      case "turn.progress":
        this.#turn(event.turn)?.setProgress(event.speech_s);
        return;
      case "turn.tools":
        this.#turn(event.turn)?.setTools(event);
        return;
      case "turn.partial":
        this.#turn(event.turn)?.setPartial(event.partial);
        return;
      case "turn.notice":
        this.#turn(event.turn)?.addNotice(event.notice);
        return;
      case "turn.ended":
        this.#turn(event.turn)?.end(event.card);
        return;
      case "take.ready":
        this.recorder.ready(event.take);
        return;
      default:
        event satisfies never;
    }
  }

  #begin({ turn, card }: Extract<PageEvent, { name: "turn.started" }>): void {
    const known = this.#turn(turn);
    if (known !== null) {
      known.restart(card);
      return;
    }
    const store = new TurnStore(turn, card, this.#channel, this.#scope, this.#parts);
    this.#turns.value = [...this.#turns.peek(), store];
    this.#dropSentTake();
  }

  /** The conversation has another shape: what left it goes, and the rest stands in its order. */
  #place(placed: readonly PlacedTurn[]): void {
    const known = new Map(this.#turns.peek().map((turn) => [turn.id, turn]));
    const turns: TurnStore[] = [];
    for (const { turn, marks } of placed) {
      // One that is not known begins later, and then stands at the end until the next word on it.
      const found = known.get(turn);
      if (found === undefined) continue;
      found.mark(marks);
      known.delete(turn);
      turns.push(found);
    }
    for (const gone of known.values()) gone.leave();
    this.#turns.value = turns;
  }

  /** A page that is told the past sees takes that were sent long ago; a turn with sound after them says so. */
  #dropSentTake(): void {
    const phase = this.recorder.phase.peek();
    const spoken =
      this.#last
        .peek()
        ?.card.peek()
        .input.some((part) => part.kind === "sound") ?? false;
    if (phase.kind === "review" && spoken) this.recorder.sent(phase.take.take);
  }

  #turn(id: unknown): TurnStore | null {
    return this.#turns.peek().find((turn) => turn.id === id) ?? null;
  }
}
