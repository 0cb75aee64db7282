import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { signal } from "@preact/signals";
import { Widget } from "@lumino/widgets";
import { adoptPlayer, FilePlayer } from "../audio/file-player";
import { CardView, mount, parseTurn, TURN_MIME, type PlayerPort, type TurnCard } from "../core";
import { findSound, textOf } from "./sound";

interface OwnedPlayer extends PlayerPort {
  close(): void;
}

/** A saved turn in JupyterLab: the same card as while it ran, with no kernel and no trust needed. */
export class TurnRenderer extends Widget implements IRenderMime.IRenderer {
  readonly #resolver: IRenderMime.IResolver | null;
  #takeAway: () => void = () => undefined;
  #renders = 0;

  constructor(options: IRenderMime.IRendererOptions) {
    super();
    this.#resolver = options.resolver;
    this.addClass("cellvoice-turn");
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.#renders += 1;
    const mine = this.#renders;
    let card: TurnCard;
    try {
      card = parseTurn(model.data[TURN_MIME]);
    } catch (error) {
      this.#replace(() => showText(this.node, textOf(model.data, "text/plain"), error));
      return;
    }
    const player = await this.#player(card, textOf(model.data, "text/html"));
    if (this.isDisposed || mine !== this.#renders) player.close();
    else this.#replace(() => showCard(this.node, card, player));
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#replace(() => () => undefined);
    super.dispose();
  }

  async #player(card: TurnCard, html: string): Promise<OwnedPlayer> {
    const live = adoptPlayer(card.id);
    if (live !== null) return live;
    const { sound } = card.reply;
    if (sound === null) return NO_SOUND;
    const address = await findSound(html, sound, this.#resolver).catch((error: unknown) => {
      console.warn("[cellvoice] the sound beside the notebook could not be found", error);
      return null;
    });
    if (address === null) return NO_SOUND;
    return new FilePlayer({ content: address, mime: sound.mime, duration_s: sound.duration_s });
  }

  #replace(show: () => () => void): void {
    this.#takeAway();
    this.#takeAway = show();
  }
}

const NO_SOUND: OwnedPlayer = {
  phase: signal("empty"),
  position_s: signal(0),
  duration_s: signal(0),
  play: () => undefined,
  pause: () => undefined,
  seek: () => undefined,
  close: () => undefined,
};

function showCard(node: HTMLElement, card: TurnCard, player: OwnedPlayer): () => void {
  const turn = { card: signal(card), player, progress_s: signal(0), stop: () => undefined };
  const unmount = mount(node, <CardView turn={turn} />);
  return () => {
    unmount();
    player.close();
  };
}

/** What can always be read, with the reason why it is not shown better. */
function showText(node: HTMLElement, text: string, error: unknown): () => void {
  const why = error instanceof Error ? error.message : String(error);
  return mount(
    node,
    <div class="cv-card">
      <div class="cv-reply">
        {text ? <p class="cv-text">{text}</p> : null}
        <p class="cv-note">This turn is shown as text only: {why}.</p>
      </div>
    </div>,
  );
}
