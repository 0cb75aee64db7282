import type { ComponentChildren } from "preact";
import { seconds, stopwatch, usd } from "./format";
import { Icon } from "./icons";
import { LevelMeter } from "./level-meter";
import { PlayerBar } from "./player-bar";
import type { PadState, RecorderPort, Refusal, Take } from "./ports";
import { UploadButton } from "./upload";
import { Waveform } from "./waveform";

interface RecorderViewProps {
  readonly recorder: RecorderPort;
  readonly price: PadState["price"];
  readonly onSend: (take: string) => void;
  /** What stands beside the button while nothing is recorded. */
  readonly idle: ComponentChildren;
}

/** What stands beside the round button, in each phase of a recording. */
export function RecorderView({ recorder, price, onSend, idle }: RecorderViewProps) {
  const phase = recorder.phase.value;
  switch (phase.kind) {
    case "idle":
      return <>{idle}</>;
    case "asking":
      return <p class="cv-hint">Allow the microphone in the browser’s question to start.</p>;
    case "recording":
      return <Recording recorder={recorder} price={price} />;
    case "saving":
      return <p class="cv-hint">Saving {seconds(recorder.elapsed_s.value)}…</p>;
    case "review":
      return <Review recorder={recorder} take={phase.take} price={price} onSend={onSend} />;
    case "refused":
      return <Refused recorder={recorder} refusal={phase.refusal} />;
    default:
      return phase satisfies never;
  }
}

function Recording({ recorder, price }: { recorder: RecorderPort; price: PadState["price"] }) {
  const elapsed_s = recorder.elapsed_s.value;
  return (
    <div class="cv-recording">
      <div class="cv-live">
        <Waveform peaks={recorder.peaks.value} covers_s={elapsed_s} growing />
        <span class="cv-watch">{stopwatch(elapsed_s)}</span>
      </div>
      <LevelMeter recorder={recorder} />
      <div class="cv-actions">
        <span class="cv-quiet">{priceOf(elapsed_s, price)}</span>
        <button type="button" class="cv-button" onClick={() => recorder.discard()}>
          <Icon name="trash" />
          Discard
        </button>
      </div>
    </div>
  );
}

function Review({
  recorder,
  take,
  price,
  onSend,
}: {
  recorder: RecorderPort;
  take: Take;
  price: PadState["price"];
  onSend: (take: string) => void;
}) {
  const preview = recorder.preview.value;
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
        <span class="cv-quiet">{priceOf(take.duration_s, price)}</span>
        <button type="button" class="cv-button" onClick={() => recorder.discard()}>
          <Icon name="trash" />
          Discard
        </button>
        <button
          type="button"
          class="cv-button"
          onClick={() => {
            recorder.discard();
            recorder.start();
          }}
        >
          <Icon name="redo" />
          Record again
        </button>
        <button type="button" class="cv-button cv-primary" onClick={() => onSend(take.take)}>
          <Icon name="send" />
          Send
        </button>
      </div>
    </div>
  );
}

function Refused({ recorder, refusal }: { recorder: RecorderPort; refusal: Refusal }) {
  return (
    <div class="cv-refused" role="alert">
      <p>
        <b>{refusal.sentence}</b> {refusal.action}
      </p>
      <div class="cv-actions">
        <span class="cv-quiet">A sound file works as well.</span>
        <UploadButton recorder={recorder} label="Choose a file" />
        <button type="button" class="cv-button" onClick={() => recorder.start()}>
          <Icon name="redo" />
          Try again
        </button>
      </div>
    </div>
  );
}

/** What sending this much sound costs, and each second of the reply. */
function priceOf(duration_s: number, price: PadState["price"]): string {
  if (price.input_usd_per_s === 0 && price.output_usd_per_s === 0) return "costs nothing to send";
  const reply = price.output_usd_per_s > 0 ? `, ${usd(price.output_usd_per_s)} a second for the reply` : "";
  return `about ${usd(duration_s * price.input_usd_per_s)} to send${reply}`;
}
