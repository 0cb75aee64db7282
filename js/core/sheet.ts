/** The style sheets of all views, as one. */

import base from "./styles/base.css";
import folds from "./styles/folds.css";
import sound from "./styles/sound.css";
import json from "./styles/json.css";
import tokens from "./styles/tokens.css";
import tools from "./styles/tools.css";

export const SHEET = [base, folds, json, sound, tokens, tools].join("\n");
