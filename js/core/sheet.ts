/** The style sheets of all views, as one. */

import base from "./styles/base.css";
import folds from "./styles/folds.css";
import sound from "./styles/sound.css";
import tokens from "./styles/tokens.css";

export const SHEET = [base, folds, sound, tokens].join("\n");
