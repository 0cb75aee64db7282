/** Every state of every view, one below the other; `?theme=light|dark` and `?only=name` choose. */

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import {
  CardView,
  ListenView,
  mount,
  PadView,
  parseTurn,
  SavedPadView,
  type TurnCard,
  type TurnPort,
} from "../core";
import example from "../../tests/contract/turn.v1.json";
import { asForm, ASKING, FULL, HOSTILE, manyTokens } from "./details";
import { ENGINE, fakeListen, fakePad, fakePlayer, fakeRecorder, fakeTurn, REAL, speechPeaks } from "./fakes";

const wanted = new URLSearchParams(location.search);

const PARIS: TurnCard = (() => {
  const card = parseTurn(example);
  return {
    ...card,
    input: card.input.map((part) => (part.kind === "sound" ? { ...part, peaks: speechPeaks(64, 2) } : part)),
    reply: { ...card.reply, sound: card.reply.sound && { ...card.reply.sound, peaks: speechPeaks(240) } },
  };
})();

const LONG =
  "Quantum entanglement is when two particles share one state, so that measuring one tells you at once what the other " +
  "will show, however far apart they are. It is not a signal: neither side can send a message with it, because each " +
  "sees only chance until they compare notes.";

const SPOKEN: TurnCard = {
  ...PARIS,
  id: "turn-2",
  number: 2,
  model: "gpt-audio",
  engine: null,
  input: [{ kind: "text", text: "Explain quantum entanglement in one sentence." }],
  reply: {
    kind: "speech",
    text: LONG,
    refusal: null,
    sound: {
      duration_s: 14.3,
      sample_rate_hz: 24000,
      peaks: speechPeaks(286, 3),
      mime: "audio/mpeg",
      href: null,
    },
  },
  facts: { ...PARIS.facts, cost_usd: 0.0193, first_sound_s: 0.71, total_s: 4.2 },
};

function running(text: string, duration_s: number): TurnCard {
  const sound = SPOKEN.reply.sound && {
    ...SPOKEN.reply.sound,
    duration_s,
    peaks: speechPeaks(Math.ceil(duration_s * 20), 3),
  };
  const none = { usage: null, cost_usd: null, total_s: null, request_id: null, expires_at: null };
  return {
    ...SPOKEN,
    state: "running",
    reply: { ...SPOKEN.reply, text, sound: duration_s > 0 ? sound : null },
    facts: { ...SPOKEN.facts, ...none },
  };
}

function failed(name: string, message: string): TurnCard {
  const facts = { ...SPOKEN.facts, usage: null, cost_usd: null, first_sound_s: null, expires_at: null };
  return {
    ...SPOKEN,
    state: "failed",
    reply: { kind: "none", text: "", refusal: null, sound: null },
    facts,
    error: { name, message },
  };
}

const TEXT_ONLY: TurnCard = { ...SPOKEN, reply: { kind: "text", text: LONG, refusal: null, sound: null } };
const CUT: TurnCard = {
  ...SPOKEN,
  state: "cut",
  notices: ["The reply came without its usage, so its price is not known."],
};
const REFUSED: TurnCard = {
  ...SPOKEN,
  state: "refused",
  reply: { kind: "none", text: "", refusal: "I can’t imitate the voice of a real person.", sound: null },
};

const take = { take: "t1", duration_s: 3.4, peaks: speechPeaks(68, 4), sentence: "" };
const recording = fakeRecorder(
  { kind: "recording" },
  { elapsed_s: signal(5.2), level_dbfs: signal(-17), peaks: signal(speechPeaks(104, 4)) },
);
const tooLoud = fakeRecorder(
  { kind: "recording" },
  {
    elapsed_s: signal(71.6),
    level_dbfs: signal(-1),
    clipped: signal(true),
    peaks: signal(speechPeaks(1432, 4)),
  },
);
const review = fakeRecorder({ kind: "review", take }, { preview: signal(fakePlayer("paused", 3.4, 1.1)) });
const quietTake = {
  ...take,
  sentence: "Nothing was heard in this recording: check that the right microphone is chosen.",
};
const reviewQuiet = fakeRecorder(
  { kind: "review", take: quietTake },
  { preview: signal(fakePlayer("ready", 3.4)) },
);
const refused = fakeRecorder({
  kind: "refused",
  refusal: {
    name: "NotAllowedError",
    sentence: "This page may not use the microphone.",
    action: "Allow it at the left end of the address bar, then try again.",
  },
});
const talk = [
  fakeTurn(PARIS, fakePlayer("ended", 1.89, 1.89)),
  fakeTurn({ ...SPOKEN, engine: PARIS.engine }, fakePlayer("playing", 14.3, 5.1)),
];

/** A long conversation: each third reply has all that a card can have. */
function many(count: number): TurnPort[] {
  return Array.from({ length: count }, (_, index) => {
    const card = index % 3 === 0 ? FULL : index % 3 === 1 ? PARIS : SPOKEN;
    const { duration_s } = card.reply.sound ?? { duration_s: 0 };
    return fakeTurn({ ...card, id: `turn-${index}`, number: index + 1 }, fakePlayer("ready", duration_s));
  });
}

const STATES: Record<string, ComponentChildren> = {
  "card-waiting": <CardView turn={fakeTurn(running("", 0), fakePlayer("empty", 0))} />,
  "card-streaming": (
    <CardView turn={fakeTurn(running(LONG.slice(0, 96), 5.4), fakePlayer("playing", 5.4, 2.1), 6.8)} />
  ),
  "card-noted": (
    <CardView
      turn={fakeTurn(
        {
          ...running("", 0),
          notices: ["The service was busy (429); asked again after 0.6 s."],
        },
        fakePlayer("empty", 0),
        0,
      )}
    />
  ),
  "card-full": <CardView turn={fakeTurn(FULL, fakePlayer("paused", 2.1, 1.3))} />,
  "card-asking": <CardView turn={fakeTurn(ASKING, fakePlayer("empty", 0))} />,
  "card-hostile": <CardView turn={fakeTurn(HOSTILE, fakePlayer("paused", 2.1, 1))} />,
  "card-many": (
    <CardView turn={fakeTurn({ ...TEXT_ONLY, logprobs: manyTokens(5_000, 20) }, fakePlayer("empty", 0))} />
  ),
  "card-tokens": (
    <CardView turn={fakeTurn({ ...TEXT_ONLY, logprobs: manyTokens(260, 5) }, fakePlayer("empty", 0))} />
  ),
  "card-complete": <CardView turn={fakeTurn(PARIS, fakePlayer("ready", 1.89))} />,
  "card-marked": (
    <CardView
      turn={fakeTurn(
        { ...PARIS, stale: true, versions: { k: 2, of: 3, ids: [] } },
        fakePlayer("ready", 1.89),
      )}
    />
  ),
  "card-long": <CardView turn={fakeTurn(SPOKEN, fakePlayer("playing", 14.3, 6.2))} />,
  "card-blocked": <CardView turn={fakeTurn(SPOKEN, fakePlayer("blocked", 14.3))} />,
  "card-stopped": (
    <CardView turn={fakeTurn({ ...SPOKEN, state: "stopped" }, fakePlayer("paused", 14.3, 4))} />
  ),
  "card-cut": <CardView turn={fakeTurn(CUT, fakePlayer("ready", 14.3))} />,
  "card-refused": <CardView turn={fakeTurn(REFUSED, fakePlayer("empty", 0))} />,
  "card-failed": (
    <CardView
      turn={fakeTurn(
        failed(
          "AuthError",
          "The service refused the key: set OPENAI_API_KEY to a valid one and run the cell again.",
        ),
        fakePlayer("empty", 0),
      )}
    />
  ),
  "card-text": <CardView turn={fakeTurn(TEXT_ONLY, fakePlayer("empty", 0))} />,
  "pad-idle": (
    <PadView
      pad={fakePad({
        state: { ...ENGINE, notice: "OPENAI_API_KEY is not set, so the embedded engine answers." },
      })}
    />
  ),
  "pad-recording": <PadView pad={fakePad({ recorder: recording })} />,
  "pad-too-loud": <PadView pad={fakePad({ recorder: tooLoud, link: "silent" })} />,
  "pad-review": <PadView pad={fakePad({ recorder: review })} />,
  "pad-review-quiet": <PadView pad={fakePad({ recorder: reviewQuiet, link: "connecting" })} />,
  "pad-refused": <PadView pad={fakePad({ recorder: refused })} />,
  "pad-conversation": (
    <PadView
      pad={fakePad({ state: ENGINE, turns: talk, trouble: "The kernel did not answer; press Send again." })}
    />
  ),
  "pad-settings": <PadView pad={fakePad({ turns: talk.slice(0, 1) })} />,
  "long-pad": <PadView pad={fakePad({ turns: many(200) })} />,
  "pad-saved": <SavedPadView state={REAL} turns={talk.slice(0, 1)} />,
  "listen-ready": <ListenView listen={fakeListen("ready", "", ENGINE)} />,
  "listen-late": (
    <ListenView
      listen={fakeListen(
        "late",
        "This ipykernel cannot hear the page while a cell runs, so the cell went on; the reply will appear here.",
      )}
    />
  ),
  "listen-closed": <ListenView listen={fakeListen("closed", "", REAL)} />,
};

document.documentElement.style.colorScheme = wanted.get("theme") ?? "light dark";
for (const [name, view] of Object.entries(STATES)) {
  if (wanted.has("only") && !name.startsWith(wanted.get("only") ?? "")) continue;
  const title = document.createElement("h2");
  title.textContent = name;
  const place = document.createElement("div");
  place.id = name;
  document.body.append(title, place);
  mount(place, view);
}
/** What a driver measures: 5,000 tokens of 20 alternatives, from the file's text to the opened view, in milliseconds. */
async function openMany(): Promise<number> {
  const place = document.createElement("div");
  document.body.append(place);
  const start_ms = performance.now();
  const unmount = mount(
    place,
    <CardView turn={fakeTurn(parseTurn(JSON.parse(MANY)), fakePlayer("ready", 2.1))} />,
  );
  const folds = [...place.querySelectorAll<HTMLDetailsElement>(".cv-fold")];
  const fold = folds.find((found) => found.textContent.startsWith("Probabilities"));
  if (fold === undefined) throw new Error("the card has no probabilities");
  fold.open = true;
  while (place.querySelector(".cv-heat > span") === null) await new Promise(requestAnimationFrame);
  place.getBoundingClientRect();
  const took_ms = performance.now() - start_ms;
  unmount();
  place.remove();
  return took_ms;
}

/** Show and take away a card with everything opened, over and over: what is left of it is measured from outside. */
async function comeAndGo(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const place = document.createElement("div");
    document.body.append(place);
    const unmount = mount(place, <CardView turn={fakeTurn(FULL, fakePlayer("paused", 2.1))} />);
    for (const fold of place.querySelectorAll("details")) fold.open = true;
    await new Promise(requestAnimationFrame);
    unmount();
    place.remove();
  }
}

const MANY = wanted.has("measure") ? JSON.stringify(asForm(manyTokens(5_000, 20))) : "";
Object.assign(globalThis, { openMany, comeAndGo });
if (wanted.has("open")) void openAll();

async function openAll(): Promise<void> {
  for (const button of document.querySelectorAll<HTMLElement>("[aria-expanded=false]")) button.click();
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  // What is behind the facts is drawn once they have opened.
  while (document.querySelector(".cv-facts[open] > :only-child") !== null)
    await new Promise(requestAnimationFrame);
  for (const fold of document.querySelectorAll<HTMLDetailsElement>(".cv-facts details")) fold.open = true;
  document.body.dataset["opened"] = "";
}
