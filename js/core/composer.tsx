import type { HoldToTalk } from "./hold-to-talk";
import { Icon } from "./icons";
import type { PadPort } from "./ports";
import { historyPrice } from "./price";
import { RecordButton } from "./record-button";
import { RecorderView } from "./recorder-view";
import { UploadButton } from "./upload";

/** Where the next thing is said: by voice, by file, or in writing. */
export function Composer({ pad, talk }: { pad: PadPort; talk: HoldToTalk }) {
  return (
    <div class="cv-composer">
      <RecordButton recorder={pad.recorder} talk={talk} />
      <div class="cv-beside">
        <RecorderView
          recorder={pad.recorder}
          price={pad.state.value.price}
          sending={talk.sending.value && pad.trouble.value === ""}
          onSend={(take) => pad.sendTake(take)}
          idle={<TextLine pad={pad} />}
        />
      </div>
    </div>
  );
}

function TextLine({ pad }: { pad: PadPort }) {
  const { draft } = pad;
  const history = historyPrice(pad.state.value.price);
  const send = (): void => {
    const text = draft.value.trim();
    if (text === "") return;
    draft.value = "";
    pad.sendText(text);
  };
  return (
    <form
      class="cv-write"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="cv-field">
        <textarea
          rows={1}
          aria-label="Message"
          placeholder="Speak or write"
          dir="auto"
          value={draft.value}
          onInput={(event) => {
            draft.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            // An Enter that ends the composition of a character is not meant for us.
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            send();
          }}
        />
        <UploadButton recorder={pad.recorder} />
        <button
          type="submit"
          class="cv-button cv-square cv-primary"
          aria-label="Send the message"
          title={history ? `Send the message: ${history}` : "Send the message"}
          disabled={draft.value.trim() === ""}
        >
          <Icon name="send" />
        </button>
      </div>
      <p class="cv-hint">
        Hold to talk, let go to send. {history ? `A turn now sends ${history}. ` : ""}
        <span class="cv-roomy">The space bar does the same; sound files can be dropped here.</span>
      </p>
    </form>
  );
}
