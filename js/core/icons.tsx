/** The few pictures on buttons; always beside a name, so hidden from screen readers. */

const ICONS = {
  play: "M5 3.2v9.6a.6.6 0 0 0 .92.5l7.3-4.8a.6.6 0 0 0 0-1L5.92 2.7A.6.6 0 0 0 5 3.2Z",
  pause:
    "M4.6 2.6h1.8c.3 0 .6.3.6.6v9.6c0 .3-.3.6-.6.6H4.6a.6.6 0 0 1-.6-.6V3.2c0-.3.3-.6.6-.6Zm5 0h1.8c.3 0 .6.3.6.6v9.6c0 .3-.3.6-.6.6H9.6a.6.6 0 0 1-.6-.6V3.2c0-.3.3-.6.6-.6Z",
  stop: "M4.6 3.6h6.8a1 1 0 0 1 1 1v6.8a1 1 0 0 1-1 1H4.6a1 1 0 0 1-1-1V4.6a1 1 0 0 1 1-1Z",
  mic: "M8 1.8a2.1 2.1 0 0 0-2.1 2.1v3.7a2.1 2.1 0 0 0 4.2 0V3.9A2.1 2.1 0 0 0 8 1.8ZM3.4 7.5a4.6 4.6 0 0 0 9.2 0M8 12.1v2.1",
  micOff:
    "M10.1 6V3.9a2.1 2.1 0 0 0-4-.9M5.9 6v1.6a2.1 2.1 0 0 0 3.3 1.7M3.4 7.5a4.6 4.6 0 0 0 7.4 3.6M12.5 8.3l.1-.8M8 12.1v2.1M2 2l12 12",
  upload:
    "M8 10.6V2.6M4.9 5.5 8 2.4l3.1 3.1M2.6 10.5v1.9a1.2 1.2 0 0 0 1.2 1.2h8.4a1.2 1.2 0 0 0 1.2-1.2v-1.9",
  download:
    "M8 2.4v8M4.9 7.7 8 10.8l3.1-3.1M2.6 10.5v1.9a1.2 1.2 0 0 0 1.2 1.2h8.4a1.2 1.2 0 0 0 1.2-1.2v-1.9",
  copy: "M6 5.6h6.6c.4 0 .8.3.8.8V13c0 .4-.4.8-.8.8H6a.8.8 0 0 1-.8-.8V6.4c0-.5.4-.8.8-.8ZM3.6 10.4H3a.8.8 0 0 1-.8-.8V3c0-.4.4-.8.8-.8h6.6c.4 0 .8.4.8.8v.6",
  check: "m3 8.6 3.2 3.2L13 4.6",
  send: "M8 13.2V3M3.7 7.2 8 2.9l4.3 4.3",
  trash: "M2.8 4.4h10.4M6.2 4.2V2.8h3.6v1.4M4.2 4.4l.6 8.2a1 1 0 0 0 1 .9h4.4a1 1 0 0 0 1-.9l.6-8.2",
  redo: "M13 8a5 5 0 1 1-1.6-3.7M13.2 2.3v2.6h-2.6",
  folder: "M2 4.4v7.4c0 .6.4 1 1 1h10c.6 0 1-.4 1-1V5.8c0-.6-.4-1-1-1H8.2L6.6 3.3H3c-.6 0-1 .5-1 1.1Z",
  info: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM8 7.4v3.4M8 5.1v.1",
  alert: "M8 2.3 14.3 13H1.7ZM8 6.4v3.2M8 11.3v.1",
  sliders:
    "M2 5h6.2M12.2 5H14M2 11h1.8M7.8 11H14M10.2 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM5.8 13a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  cross: "m4.4 4.4 7.2 7.2M11.6 4.4l-7.2 7.2",
  chevron: "m4.5 6.3 3.5 3.5 3.5-3.5",
} as const;

export type IconName = keyof typeof ICONS;

const SOLID: ReadonlySet<IconName> = new Set(["play", "pause", "stop"]);

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      class={SOLID.has(name) ? "cv-icon cv-solid" : "cv-icon"}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      <path d={ICONS[name]} />
    </svg>
  );
}
