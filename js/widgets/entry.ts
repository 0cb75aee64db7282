/** The anywidget module: small, because it travels with each widget. What it shows comes once a page (`code.ts`). */

import { withCode, type CodeModel, type CodeParts, type Half } from "./code";

interface RenderProps {
  readonly model: CodeModel;
  readonly el: HTMLElement;
}

/** Long enough that nobody sees it flash up, short enough that nobody takes an empty cell for the result. */
const SAY_WAITING_MS = 2_000;
const WAITING =
  "Waiting for the kernel, which sends what is shown here. If it has ended or was restarted, run the cell again.";

export default function widget(parts: CodeParts = {}) {
  let half: Half | null = null;
  let failure = "";
  const undrawn = new Set<() => void>();
  return {
    initialize({ model }: { readonly model: CodeModel }): () => void {
      let close = (): void => undefined;
      const giveUp = withCode(
        model,
        (module, reason) => {
          failure = reason;
          half = module?.default() ?? null;
          close = half?.initialize({ model }) ?? close;
          for (const draw of [...undrawn]) draw();
        },
        parts,
      );
      return () => {
        giveUp();
        close();
      };
    },

    render(props: RenderProps): () => void {
      const { el } = props;
      let note: ReturnType<typeof setTimeout> | undefined;
      let takeAway = (): void => undefined;
      const draw = (): void => {
        clearTimeout(note);
        undrawn.delete(draw);
        el.replaceChildren();
        if (half === null) say(el, failure);
        else takeAway = half.render(props);
      };
      if (half === null && failure === "") {
        undrawn.add(draw);
        note = setTimeout(() => say(el, WAITING), SAY_WAITING_MS);
      } else {
        draw();
      }
      return () => {
        clearTimeout(note);
        undrawn.delete(draw);
        takeAway();
        el.replaceChildren();
      };
    },
  };
}

function say(el: HTMLElement, sentence: string): void {
  const line = el.ownerDocument.createElement("p");
  line.setAttribute("role", "status");
  line.textContent = sentence;
  el.replaceChildren(line);
}
