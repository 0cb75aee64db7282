import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Widget } from "@lumino/widgets";
import type { ComponentChildren } from "preact";
import { CardView, mount, parsePad, parseTurn, PAD_MIME, SavedPadView, Scope, TURN_MIME } from "../core";
import { livePads } from "../core/pads";
import type { KernelLink } from "./kernel-link";
import type { SavedTurn } from "./saved-turn";
import { savedTurns, soundsOf, textOf, type Surroundings } from "./sound";

/** What an output becomes: a view of saved turns, whose players are closed with it. */
interface Shown {
  readonly view: ComponentChildren;
  readonly turns: readonly SavedTurn[];
}

/** Draws one output and draws it anew when the kernel replaces it; nothing is left of it when it is disposed. */
abstract class SavedRenderer extends Widget implements IRenderMime.IRenderer {
  #takeAway: () => void = () => undefined;
  #renders = 0;

  constructor(
    protected readonly options: IRenderMime.IRendererOptions,
    /** Null outside of a notebook. */
    protected readonly link: KernelLink | null,
  ) {
    super();
    this.addClass("cellvoice-output");
  }

  abstract renderModel(model: IRenderMime.IMimeModel): Promise<void>;

  override dispose(): void {
    if (this.isDisposed) return;
    this.replace(() => () => undefined);
    super.dispose();
  }

  protected get surroundings(): Surroundings {
    return { resolver: this.options.resolver, link: this.link };
  }

  /** Take away what is shown and show something else; anything that is still being read is forgotten. */
  protected replace(begin: () => () => void): void {
    this.#renders += 1;
    this.#takeAway();
    this.#takeAway = begin();
  }

  /** Read the output and show it, or what can always be read, with the reason. */
  protected async showSaved(
    model: IRenderMime.IMimeModel,
    read: (html: string) => Promise<Shown>,
  ): Promise<void> {
    this.#renders += 1;
    const mine = this.#renders;
    let view: ComponentChildren;
    let turns: readonly SavedTurn[] = [];
    try {
      ({ view, turns } = await read(textOf(model.data, "text/html")));
    } catch (error) {
      view = <AsText text={textOf(model.data, "text/plain")} error={error} />;
    }
    const close = (): void => turns.forEach((turn) => turn.close());
    if (this.isDisposed || mine !== this.#renders) {
      close();
      return;
    }
    this.replace(() => {
      const unmount = mount(this.node, view);
      return () => {
        unmount();
        close();
      };
    });
  }
}

/** A saved turn in JupyterLab: the same card as while it ran, with no kernel and no trust needed. */
export class TurnRenderer extends SavedRenderer {
  override renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    return this.showSaved(model, async (html) => {
      const form = model.data[TURN_MIME];
      const turns = await savedTurns([parseTurn(form)], html, this.surroundings, soundsOf(form));
      return { turns, view: turns.map((turn) => <CardView key={turn.card.peek().id} turn={turn} />) };
    });
  }
}

/** A pad: the live one while its widget is on this page, else the conversation as it was saved. */
export class PadRenderer extends SavedRenderer {
  readonly #scope = new Scope();
  #model: IRenderMime.IMimeModel | null = null;
  #live: string | null = null;

  constructor(options: IRenderMime.IRendererOptions, link: KernelLink | null) {
    super(options, link);
    this.#scope.listen(livePads(), "change", () => {
      if (this.#model !== null && liveId(this.#model) !== this.#live) void this.#draw(this.#model);
    });
  }

  override renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.#model = model;
    // The live pad draws its own news; mounting it again would lose what is being written or recorded.
    if (this.#live !== null && liveId(model) === this.#live) return Promise.resolve();
    return this.#draw(model);
  }

  override dispose(): void {
    this.#scope.close();
    super.dispose();
  }

  async #draw(model: IRenderMime.IMimeModel): Promise<void> {
    const live = liveId(model);
    this.#live = live;
    const pad = live === null ? undefined : livePads().pads.get(live);
    if (pad !== undefined) {
      this.replace(() => pad.mount(this.node));
      return;
    }
    await this.showSaved(model, async (html) => {
      const saved = parsePad(model.data[PAD_MIME]);
      const turns = await savedTurns(saved.turns, html, this.surroundings);
      return { turns, view: <SavedPadView state={saved.state} turns={turns} /> };
    });
  }
}

/** The pad's id when its widget is on this page. */
function liveId(model: IRenderMime.IMimeModel): string | null {
  const saved: unknown = model.data[PAD_MIME];
  if (typeof saved !== "object" || saved === null || !("pad" in saved)) return null;
  const { pad } = saved;
  return typeof pad === "string" && livePads().pads.has(pad) ? pad : null;
}

function AsText({ text, error }: { text: string; error: unknown }) {
  const why = error instanceof Error ? error.message : String(error);
  return (
    <div class="cv-card">
      <div class="cv-reply">
        {text ? <p class="cv-text">{text}</p> : null}
        <p class="cv-note">This output is shown as text only: {why}.</p>
      </div>
    </div>
  );
}
