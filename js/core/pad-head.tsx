import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { usd } from "./format";
import { Icon } from "./icons";
import type { LinkPhase, PadPort, PadState } from "./ports";
import type { Budget } from "./price";
import { SettingsPanel } from "./settings-panel";

/** The pad's head and, behind a button in it, the settings. */
export function Head({ pad }: { pad: PadPort }) {
  const open = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useMemo(() => `cv-${Math.random().toString(36).slice(2)}`, []);
  const state = pad.state.value;
  const count = state.settings?.values.size ?? 0;
  return (
    <>
      <Header state={state} link={pad.link.value}>
        {state.settings === null ? null : (
          <button
            type="button"
            class="cv-button"
            ref={button}
            aria-expanded={open.value}
            aria-controls={panel}
            onClick={() => {
              open.value = !open.peek();
            }}
          >
            <Icon name="sliders" />
            <span class="cv-word">Settings</span>
            {count > 0 ? (
              <span class="cv-count">
                <span class="cv-word">· </span>
                {count}
                <span class="cv-unseen"> set</span>
              </span>
            ) : null}
          </button>
        )}
      </Header>
      {open.value ? (
        <SettingsPanel
          pad={pad}
          id={panel}
          onClose={() => {
            open.value = false;
            button.current?.focus();
          }}
        />
      ) : null}
    </>
  );
}

interface HeaderProps {
  readonly state: PadState;
  readonly link: LinkPhase | null;
  readonly children?: ComponentChildren;
}

/** Who is talked to, what was paid, and whether the kernel answers. */
export function Header({ state, link, children }: HeaderProps) {
  return (
    <header class="cv-head">
      <h3>
        {state.model}
        {state.voice ? <span class="cv-quiet"> {state.voice}</span> : null}
      </h3>
      {state.badge ? <span class="cv-badge">{state.badge}</span> : null}
      <span class="cv-cost" title={paidTitle(state.budget)}>
        <span class="cv-unseen">paid so far: </span>
        {usd(state.cost_usd)}
        {state.budget === null ? null : ` of ${usd(state.budget.limit_usd)}`}
      </span>
      {link === null ? null : <LinkChip link={link} />}
      {children}
    </header>
  );
}

function paidTitle(budget: Budget | null): string {
  if (budget === null) return "Paid in this session so far";
  return `Paid in this session so far, and its budget; ${usd(budget.left_usd)} is left`;
}

const LINK_WORDS: Record<LinkPhase, { readonly word: string; readonly why: string }> = {
  connecting: { word: "connecting", why: "Waiting for the kernel’s first answer." },
  open: { word: "connected", why: "The kernel answers." },
  silent: {
    word: "kernel silent",
    why: "The kernel is busy or gone; what is recorded is kept until it is back.",
  },
};

export function LinkChip({ link }: { link: LinkPhase }) {
  const { word, why } = LINK_WORDS[link];
  return (
    <span class="cv-link" data-link={link} title={why} role="status">
      <span class={link === "open" ? "cv-roomy" : undefined}>{word}</span>
    </span>
  );
}
