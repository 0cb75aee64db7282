/** What makes the renderers of saved outputs, with a notebook's kernel or without any. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { PAD_MIME, TURN_MIME } from "../core";
import type { KernelLink } from "./kernel-link";
import { PadRenderer, TurnRenderer } from "./renderer";

/** Before HTML (50), which the same outputs hold for other hosts. */
export const RANK = 10;

export function turnFactory(link: KernelLink | null): IRenderMime.IRendererFactory {
  return {
    // Nothing of the output is inserted as HTML or run, and a kernel is only asked, so a notebook need not be trusted.
    safe: true,
    mimeTypes: [TURN_MIME],
    createRenderer: (options) => new TurnRenderer(options, link),
  };
}

export function padFactory(link: KernelLink | null): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [PAD_MIME],
    createRenderer: (options) => new PadRenderer(options, link),
  };
}
