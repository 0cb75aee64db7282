/** The style sheets of all views, as one. */

import base from "./styles/base.css";
import card from "./styles/card.css";
import choices from "./styles/choices.css";
import events from "./styles/events.css";
import folds from "./styles/folds.css";
import json from "./styles/json.css";
import narrow from "./styles/narrow.css";
import pad from "./styles/pad.css";
import settings from "./styles/settings.css";
import sound from "./styles/sound.css";
import talk from "./styles/talk.css";
import tokens from "./styles/tokens.css";
import tools from "./styles/tools.css";

/** In the order in which they may overrule each other. */
export const SHEET = [
  base,
  card,
  pad,
  settings,
  talk,
  narrow,
  folds,
  json,
  events,
  choices,
  sound,
  tokens,
  tools,
].join("\n");
