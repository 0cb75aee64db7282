/** What shows the widgets of a page: one store for each model, any number of views of it. `entry.ts` loads it. */

import { CardView, ListenView, mount, PadView } from "../core";
import { labIsHere, offerPad } from "../core/pads";
import { Scope } from "../core/scope";
import type { ChannelModel } from "../rpc";
import { Store } from "./store";

/** What is used of an anywidget model. */
export interface WidgetModel extends ChannelModel {
  get(name: string): unknown;
}

interface InitializeProps {
  readonly model: WidgetModel;
}

interface RenderProps extends InitializeProps {
  readonly el: HTMLElement;
}

/** Called once for each model, so the store needs no registry: model proxies have no identity. */
export default function widget() {
  let store: Store | null = null;
  return {
    /** Opens the channel and returns at once: anywidget drops later updates of a slow one. */
    initialize({ model }: InitializeProps): () => void {
      const scope = new Scope();
      const mine = new Store(model, scope, {
        lab: labIsHere(),
        noisyRoom: () => model.get("noisy_room") === true,
      });
      store = mine;
      const pad_id = model.get("pad_id");
      if (model.get("view") === "pad" && typeof pad_id === "string" && pad_id !== "") {
        scope.add(offerPad(pad_id, { mount: (el) => show(mine, "pad", el) }));
      }
      return () => scope.close();
    },

    render({ model, el }: RenderProps): () => void {
      if (store === null) throw new Error("[cellvoice] a view was asked for before its model was set up");
      return show(store, model.get("view"), el);
    },
  };
}

function show(store: Store, view: unknown, el: HTMLElement): () => void {
  const takeAway = mount(el, <View store={store} view={view} />);
  const gone = store.viewed();
  return () => {
    gone();
    takeAway();
  };
}

function View({ store, view }: { store: Store; view: unknown }) {
  if (view === "pad") return <PadView pad={store.pad} />;
  if (view === "listen") return <ListenView listen={store.listen} />;
  const turn = store.lastTurn.value;
  return turn === null ? null : <CardView turn={turn} />;
}
