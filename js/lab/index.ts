/** The JupyterLab extension: shows saved turns and pads richly. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { PAD_MIME, TURN_MIME } from "../core";
import { announceLab } from "../core/pads";
import { PadRenderer, TurnRenderer } from "./renderer";

announceLab();

/** Before HTML (50), which the same outputs hold for other hosts. */
const RANK = 10;

const turn: IRenderMime.IExtension = {
  id: "cellvoice:turn",
  description: "Shows a cellvoice turn: what was said, the reply, its sound and the facts.",
  rendererFactory: {
    // Nothing of the output is inserted as HTML or run, so a notebook need not be trusted.
    safe: true,
    mimeTypes: [TURN_MIME],
    createRenderer: (options) => new TurnRenderer(options),
  },
  rank: RANK,
  dataType: "json",
  // A turn that was saved as a file of its own opens as its card; "Open With" still has the editor.
  fileTypes: [
    {
      name: "cellvoice-turn",
      displayName: "cellvoice turn",
      extensions: [".turn.json"],
      mimeTypes: [TURN_MIME],
      fileFormat: "text",
    },
  ],
  documentWidgetFactoryOptions: {
    name: "cellvoice turn",
    primaryFileType: "cellvoice-turn",
    fileTypes: ["cellvoice-turn"],
    defaultFor: ["cellvoice-turn"],
  },
};

const pad: IRenderMime.IExtension = {
  id: "cellvoice:pad",
  description: "Shows a cellvoice pad: live while its kernel is there, else the saved conversation.",
  rendererFactory: {
    safe: true,
    mimeTypes: [PAD_MIME],
    createRenderer: (options) => new PadRenderer(options),
  },
  rank: RANK,
  dataType: "json",
};

export default [turn, pad];
