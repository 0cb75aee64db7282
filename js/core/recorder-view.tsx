import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { seconds, stopwatch } from "./format";
import { Icon } from "./icons";
import { LevelMeter } from "./level-meter";
import { PlayerBar } from "./player-bar";
import type { RecorderPort, Refusal, Take } from "./ports";
import { replyRateOf, sendPrice, type Price } from "./price";
import { UploadButton } from "./upload";
import { Waveform } from "./waveform";

interface RecorderViewProps {
  readonly recorder: RecorderPort;
  readonly price: Price | null;
  readonly onSend: (take: string) => void;
  /** A take goes out without review. */
  readonly sending: boolean;
  /** What stands beside the button while nothing is recorded. */
  readonly idle: ComponentChildren;
}

/** What stands beside the round button, in each phase of a recording. */
export function RecorderView({ recorder, price, onSend, sending, idle }: RecorderViewProps) {
  const phase = recorder.phase.value;
  switch (phase.kind) {
    case "idle":
      return <>{idle}</>;
    case "asking":
      return <p class="cv-hint">Allow the microphone in the browser’s question to start.</p>;
    case "recording":
      return <Recording recorder={recorder} price={price} />;
    case "saving":
      return (
        <p class="cv-hint">
          {sending ? "Sending" : "Saving"} {seconds(recorder.elapsed_s.value)}…
        </p>
      );
    case "review":
      if (sending) return <p class="cv-hint">Sending {seconds(phase.take.duration_s)}…</p>;
      return <Review recorder={recorder} take={phase.take} price={price} onSend={onSend} />;
    case "refused":
      return <Refused recorder={recorder} refusal={phase.refusal} />;
    default:
      return phase satisfies never;
  }
}

function Recording({ recorder, price }: { recorder: RecorderPort; price: Price | null }) {
  const elapsed_s = recorder.elapsed_s.value;
  const soFar = sendPrice(elapsed_s, price);
  return (
    <div class="cv-recording">
      <div class="cv-live">
        <Waveform peaks={recorder.peaks.value} covers_s={elapsed_s} growing />
        <span class="cv-watch">{stopwatch(elapsed_s)}</span>
      </div>
      <LevelMeter recorder={recorder} />
      <div class="cv-actions">
        <button type="button" class="cv-button" onClick={() => recorder.discard()}>
          <Icon name="trash" />
          Discard
        </button>
        {soFar ? <span class="cv-quiet">So far {soFar}.</span> : null}
      </div>
    </div>
  );
}

interface ReviewProps {
  readonly recorder: RecorderPort;
  readonly take: Take;
  readonly price: Price | null;
  readonly onSend: (take: string) => void;
}

function Review({ recorder, take, price, onSend }: ReviewProps) {
  const preview = recorder.preview.value;
  const send = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The button that had the focus is gone: without this a keyboard would begin again at the top of the page.
    const focused = document.activeElement;
    if (focused === null || focused === document.body) send.current?.focus({ preventScroll: true });
  }, []);
  const cost = sendPrice(take.duration_s, price);
  return (
    <div class="cv-review">
      {preview ? (
        <PlayerBar player={preview} what="recording" peaks={take.peaks} covers_s={take.duration_s} />
      ) : (
        <div class="cv-live">
          <Waveform peaks={take.peaks} covers_s={take.duration_s} />
          <span class="cv-time">{seconds(take.duration_s)}</span>
        </div>
      )}
      {take.sentence ? (
        <p class="cv-note cv-warning">
          <Icon name="alert" />
          <span>{take.sentence}</span>
        </p>
      ) : null}
      <div class="cv-actions">
        <button type="button" class="cv-button cv-primary" ref={send} onClick={() => onSend(take.take)}>
          <Icon name="send" />
          Send{cost ? <span class="cv-price">{cost}</span> : null}
        </button>
        <button type="button" class="cv-button" onClick={() => again(recorder)}>
          <Icon name="redo" />
          Record again
        </button>
        <button type="button" class="cv-button" onClick={() => recorder.discard()}>
          <Icon name="trash" />
          Discard
        </button>
        <span class="cv-quiet">{replyRateOf(price)}</span>
      </div>
    </div>
  );
}

function again(recorder: RecorderPort): void {
  recorder.discard();
  recorder.start();
}

function Refused({ recorder, refusal }: { recorder: RecorderPort; refusal: Refusal }) {
  return (
    <div class="cv-refused" role="alert">
      <p>
        <b>{refusal.sentence}</b> {refusal.action}
      </p>
      <div class="cv-actions">
        <button type="button" class="cv-button" onClick={() => recorder.start()}>
          <Icon name="redo" />
          Try again
        </button>
        <UploadButton recorder={recorder} label="Choose a sound file" />
      </div>
    </div>
  );
}
