import { Announce, useRecorderWords } from "./announce";
import { CardView } from "./card-view";
import { Icon } from "./icons";
import { LinkChip } from "./pad-head";
import { Trouble } from "./pad-view";
import type { ListenPort } from "./ports";
import { RecordButton } from "./record-button";
import { rateOf } from "./price";
import { RecorderView } from "./recorder-view";
import { DropHint, UploadButton, useFileDrop } from "./upload";
import { useTalk } from "./use-talk";

/** A recorder in a cell; once something was sent, the card of that turn. */
export function ListenView({ listen }: { listen: ListenPort }) {
  const turn = listen.turn.value;
  return turn ? <CardView turn={turn} /> : <Listening listen={listen} />;
}

function Listening({ listen }: { listen: ListenPort }) {
  const { recorder } = listen;
  const { talk, keys } = useTalk(recorder, (take) => listen.sendTake(take));
  const { over, handlers } = useFileDrop(recorder);
  const words = useRecorderWords(recorder);
  const state = listen.state.value;
  const closed = listen.phase.value === "closed";
  const sentence = listen.sentence.value;
  const trouble = listen.trouble.value;
  return (
    <section
      class="cv-listen"
      aria-label={`Speak to ${state.model}`}
      tabIndex={-1}
      {...keys}
      {...(closed ? {} : handlers)}
    >
      <div class="cv-composer">
        <RecordButton recorder={recorder} talk={talk} disabled={closed} />
        <div class="cv-beside">
          {closed ? (
            <p class="cv-hint">{sentence || "This recorder is closed; run the cell again to speak."}</p>
          ) : (
            <RecorderView
              recorder={recorder}
              price={state.price}
              sending={talk.sending.value && trouble === ""}
              onSend={(take) => listen.sendTake(take)}
              idle={<Invitation listen={listen} />}
            />
          )}
        </div>
      </div>
      {!closed && sentence ? (
        <p class="cv-note cv-inset">
          <Icon name="info" />
          <span>{sentence}</span>
        </p>
      ) : null}
      {trouble ? <Trouble sentence={trouble} /> : null}
      {over.value ? <DropHint /> : null}
      <Announce words={words} />
    </section>
  );
}

function Invitation({ listen }: { listen: ListenPort }) {
  const { model, badge, price } = listen.state.value;
  const link = listen.link.value;
  return (
    <div class="cv-invite">
      <div>
        <p class="cv-lead">
          Speak to {model} {badge ? <span class="cv-badge">{badge}</span> : null}
          {link === "open" ? null : <LinkChip link={link} />}
        </p>
        <p class="cv-hint">Press the button, or hold it and let go to send. {rateOf(price)}</p>
      </div>
      <UploadButton recorder={listen.recorder} label="Choose a file" />
    </div>
  );
}
