import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { count, localTime, seconds, usd } from "./format";
import { ExpiryClock } from "./expiry-clock";
import { EventsView } from "./events-view";
import { Icon } from "./icons";
import type { TurnPort } from "./ports";
import { RequestView } from "./request-view";
import type { CostPart, TurnCard, TurnUsage } from "./turn";

interface FactsProps {
  readonly card: TurnCard;
  readonly badge: string;
  readonly loadEvents: TurnPort["rawEvents"];
}

/** One line of numbers; opened, it says where they come from. */
export function FactsView({ card, badge, loadEvents }: FactsProps) {
  const { facts } = card;
  // What is behind the line exists only once it is opened: of 200 cards it is most of a page.
  const opened = useSignal(false);
  const line: Array<readonly [name: string, fact: string]> = [];
  if (facts.first_sound_s !== null) line.push(["first", `first sound ${facts.first_sound_s.toFixed(2)} s`]);
  if (card.reply.sound !== null) line.push(["length", seconds(card.reply.sound.duration_s)]);
  if (facts.usage !== null) line.push(["tokens", count(facts.usage.total_tokens, "token")]);
  if (facts.cost_usd !== null) line.push(["cost", usd(facts.cost_usd)]);
  return (
    <details class="cv-facts" onToggle={() => (opened.value = true)}>
      <summary>
        {badge ? <span class="cv-badge">{badge}</span> : null}
        <span class="cv-line">
          {line.length > 0 ? (
            line.map(([name, fact]) => (
              <span key={name} class={name === "length" ? "cv-roomy" : undefined}>
                {fact}
              </span>
            ))
          ) : (
            <span>details</span>
          )}
        </span>
        <Icon name="chevron" />
      </summary>
      {opened.value ? <Behind card={card} loadEvents={loadEvents} /> : null}
    </details>
  );
}

function Behind({ card, loadEvents }: Omit<FactsProps, "badge">) {
  const { cost_parts } = card.facts;
  return (
    <>
      <dl>
        {rows(card)}
        {loadEvents === null ? <Row name="events">kept by the kernel only; turn.events has them</Row> : null}
      </dl>
      {cost_parts.length > 0 ? <CostParts parts={cost_parts} /> : null}
      {card.request === null ? null : <RequestView request={card.request} />}
      {loadEvents === null ? null : <EventsView load={loadEvents} />}
    </>
  );
}

function rows(card: TurnCard): ComponentChildren {
  const { facts } = card;
  const model = card.voice === null ? card.model : `${card.model}, voice ${card.voice}`;
  const price = facts.cost_usd === null ? "not known" : usd(facts.cost_usd);
  return (
    <>
      <Row name="model">{model}</Row>
      {card.engine ? <Row name="engine">{card.engine.detail}</Row> : null}
      {facts.usage ? <UsageRows usage={facts.usage} /> : null}
      <Row name="cost">{facts.cost_note ? `${price} (${facts.cost_note})` : price}</Row>
      <Latency name="upload" time_s={facts.upload_s} />
      <Latency name="first byte" time_s={facts.first_byte_s} />
      <Latency name="first event" time_s={facts.first_event_s} />
      <Latency name="first words" time_s={facts.first_words_s} />
      <Latency name="first sound" time_s={facts.first_sound_s} />
      <Latency name="whole reply" time_s={facts.total_s} />
      <Row name="asked">{moment(card.asked_at)}</Row>
      {facts.expires_at === null ? null : (
        <Row name="voice memory">
          <ExpiryClock expires_at_s={facts.expires_at} />
        </Row>
      )}
      {facts.rungs === null ? null : <Row name="history as">{history(facts.rungs)}</Row>}
      {facts.seed === null ? null : <Row name="seed">{facts.seed}</Row>}
      {facts.fingerprint === null ? null : (
        <Row name="fingerprint">
          <code>{facts.fingerprint}</code>
        </Row>
      )}
      {card.logprobs === null && card.logprobs_why ? (
        <Row name="probabilities">{card.logprobs_why}</Row>
      ) : null}
      {facts.request_id ? <Row name="request">{<code>{facts.request_id}</code>}</Row> : null}
      <Row name="turn">
        <code>{card.id}</code>
      </Row>
    </>
  );
}

function history({ audio, transcript }: { audio: number; transcript: number }): string {
  const parts = [audio > 0 ? `${audio} as sound` : "", transcript > 0 ? `${transcript} as words` : ""];
  return parts.filter((part) => part !== "").join(", ") || "none before it";
}

const PARTS: Readonly<Record<CostPart["part"], string>> = {
  text_in: "text in",
  cached_in: "cached in",
  audio_in: "sound in",
  text_out: "text out",
  audio_out: "sound out",
};

/** What the price is made of, as shares of one bar and in figures. */
function CostParts({ parts }: { parts: readonly CostPart[] }) {
  const total_usd = parts.reduce((sum, { usd: part_usd }) => sum + (part_usd ?? 0), 0);
  return (
    <table class="cv-parts">
      <caption>cost</caption>
      <tbody>
        {parts.map(({ part, tokens, usd: part_usd }) => (
          <tr key={part}>
            <th scope="row">{PARTS[part]}</th>
            <td class="cv-number">{count(tokens, "token")}</td>
            <td>
              <span class="cv-share">
                <i style={`width:${total_usd > 0 ? ((100 * (part_usd ?? 0)) / total_usd).toFixed(1) : 0}%`} />
              </span>
            </td>
            <td class="cv-number">{part_usd === null ? "not known" : usd(part_usd)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function UsageRows({ usage }: { usage: TurnUsage }) {
  const cached = usage.cached_tokens > 0 ? `, ${usage.cached_tokens} cached` : "";
  return (
    <>
      <Row name="tokens in">
        {usage.prompt_tokens} ({usage.prompt_audio_tokens} sound, {usage.prompt_text_tokens} text{cached})
      </Row>
      <Row name="tokens out">
        {usage.completion_tokens} ({usage.completion_audio_tokens} sound, {usage.completion_text_tokens} text)
      </Row>
    </>
  );
}

function Latency({ name, time_s }: { name: string; time_s: number | null }) {
  return time_s === null ? null : <Row name={name}>{time_s.toFixed(2)} s</Row>;
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A date of the file, or its own words when it is not one. */
function moment(iso: string): string {
  const when = new Date(iso);
  return Number.isNaN(when.getTime()) ? iso : localTime(when);
}
