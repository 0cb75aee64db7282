export { CardView } from "./card-view";
export { ListenView } from "./listen-view";
export { mount } from "./mount";
export { PadView } from "./pad-view";
export { parseTurn, TurnFormatError } from "./parse-turn";
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
export { TURN_MIME } from "./turn";
export type { TurnCard, TurnFacts, TurnInput, TurnSound, TurnStateName, TurnUsage } from "./turn";
