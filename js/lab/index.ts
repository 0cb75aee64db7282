/** The JupyterLab extension: shows saved turns and pads richly. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { announceLab } from "../core/pads";
import { TURN_MIME } from "../core/turn";
import { padFactory, RANK, turnFactory } from "./factories";

announceLab();

const turn: IRenderMime.IExtension = {
  id: "cellvoice:turn",
  description: "Shows a cellvoice turn: what was said, the reply, its sound and the facts.",
  rendererFactory: turnFactory(null),
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
  rendererFactory: padFactory(null),
  rank: RANK,
  dataType: "json",
};

export default [turn, pad];
