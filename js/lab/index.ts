/** The JupyterLab extension: shows saved turns richly. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { TURN_MIME } from "../core";
import { TurnRenderer } from "./renderer";

const extension: IRenderMime.IExtension = {
  id: "cellvoice:turn",
  description: "Shows a cellvoice turn: what was said, the reply, its sound and the facts.",
  rendererFactory: {
    // Nothing of the output is inserted as HTML or run, so a notebook need not be trusted.
    safe: true,
    mimeTypes: [TURN_MIME],
    createRenderer: (options) => new TurnRenderer(options),
  },
  // Before HTML (50), which the same output holds for other hosts.
  rank: 10,
  dataType: "json",
};

export default extension;
