export { CardView } from "./card-view";
export { ListenView } from "./listen-view";
export { mount } from "./mount";
export { TurnFormatError } from "./document";
export { PadView, SavedPadView } from "./pad-view";
export { PAD_MIME, parsePad } from "./parse-pad";
export type { SavedPad } from "./parse-pad";
export { parseTurn } from "./parse-turn";
export type {
  LinkPhase,
  ListenPort,
  PadPort,
  PadState,
  PlayerPhase,
  PlayerPort,
  RecorderPhase,
  RecorderPort,
  Refusal,
  Take,
  TurnPort,
} from "./ports";
export { Scope } from "./scope";
export type { Setting, Settings } from "./settings";
export { TURN_MIME } from "./turn";
export type { TurnCard, TurnFacts, TurnInput, TurnSound, TurnStateName, TurnUsage } from "./turn";
