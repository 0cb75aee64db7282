/** One playback worklet on the page's context. */

import { loadWorklet, pageAudio, pageContext } from "./context";
import type { FromPlayback, PlaybackOptions, ToPlayback } from "./messages";
import playbackSource from "./playback-worklet.ts?worklet";

/** Where samples are rendered; tests put a ring without a browser here. */
export interface Sink {
  send(message: ToPlayback): void;
  close(): void;
}

/** What a player needs of the page. */
export interface Speakers {
  /** Whether sound can come out now. */
  readonly running: boolean;
  /** Ask the browser to let sound out; settles when it does, perhaps never before a click. */
  resume(): Promise<void>;
  open(options: PlaybackOptions, hear: (message: FromPlayback) => void): Promise<Sink>;
}

export const pageSpeakers: Speakers = {
  get running() {
    return pageAudio().context?.state === "running";
  },
  resume: () => pageContext().resume(),
  async open(options, hear) {
    const context = pageContext();
    const name = await loadWorklet(context, playbackSource);
    const node = new AudioWorkletNode(context, name, {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: options,
    });
    node.port.onmessage = (event: MessageEvent<FromPlayback>) => hear(event.data);
    node.connect(pageAudio().output ?? context.destination);
    return {
      send: (message) => node.port.postMessage(message),
      close() {
        node.port.postMessage({ kind: "close" } satisfies ToPlayback);
        node.port.onmessage = null;
        node.disconnect();
      },
    };
  },
};
