/** The JupyterLab plugin that lets the cards of a notebook ask its kernel; Notebook 7 loads the same. */

import { Scope } from "../core/scope";
import { padFactory, RANK, turnFactory } from "./factories";
import type { App, Disposable, KernelSession } from "./host";
import { KernelLink } from "./kernel-link";

interface Shared {
  readonly link: KernelLink;
  readonly scope: Scope;
  panels: number;
}

/** Two views of a notebook have one kernel, and one registry of renderers. */
const links = new WeakMap<KernelSession, Shared>();

function enter(session: KernelSession): Shared {
  let shared = links.get(session);
  if (shared === undefined) {
    const scope = new Scope();
    shared = { scope, link: new KernelLink(session, scope), panels: 0 };
    links.set(session, shared);
  }
  shared.panels += 1;
  return shared;
}

function leave(session: KernelSession, shared: Shared): void {
  shared.panels -= 1;
  if (shared.panels > 0) return;
  links.delete(session);
  shared.scope.close();
}

/** Every notebook from now on; none can be open before, since plugins begin before documents. */
function followNotebooks(app: App): void {
  // The registry tells of each panel, so that neither a token nor a package of the host is needed.
  app.docRegistry.addWidgetExtension("Notebook", {
    createNew(panel, { sessionContext }): Disposable {
      const shared = enter(sessionContext);
      for (const factory of [turnFactory(shared.link), padFactory(shared.link)])
        panel.content.rendermime.addFactory(factory, RANK);
      const scope = new Scope();
      scope.add(() => leave(sessionContext, shared));
      return {
        get isDisposed() {
          return scope.closed;
        },
        dispose: () => scope.close(),
      };
    },
  });
}

export default {
  id: "cellvoice:frozen-cards",
  description: "Lets saved cellvoice cards ask the kernel of their notebook for what the file does not hold.",
  autoStart: true,
  activate: followNotebooks,
};
