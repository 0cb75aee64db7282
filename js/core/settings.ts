/** The kernel's table of parameters as the page reads it, and a field's text as a value and back. */

import { amount, text, type Part } from "./document";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const KINDS = ["number", "whole", "flag", "choice", "text", "texts", "json"] as const;
const GROUPS = ["voice", "sampling", "length", "output", "tools", "service"] as const;

export type SettingKind = (typeof KINDS)[number];
export type SettingGroup = (typeof GROUPS)[number];

export const GROUP_TITLES: Readonly<Record<SettingGroup, string>> = {
  voice: "Model and voice",
  sampling: "How it chooses words",
  length: "Length",
  output: "What comes back",
  tools: "Tools",
  service: "Service",
};

/** One parameter: what it may be, and what it does in a sentence. */
export interface Setting {
  readonly name: string;
  readonly kind: SettingKind;
  readonly low: number | null;
  readonly high: number | null;
  /** All that a "choice" may be; for a "text", names that are known beside any other. */
  readonly choices: readonly string[];
  /** What holds while nothing is set. */
  readonly initial: unknown;
  readonly text: string;
  readonly warning: string;
  readonly expected: string;
  /** The model is known to refuse it. */
  readonly refused: boolean;
  readonly group: SettingGroup;
}

export interface Settings {
  /** Empty in a saved pad. */
  readonly form: readonly Setting[];
  /** Only what was set. */
  readonly values: ReadonlyMap<string, unknown>;
}

/** Throws `TurnFormatError` when something is missing or of the wrong type; null where there are none. */
export function readSettings(part: Part): Settings | null {
  if (part.value === undefined || part.value === null) return null;
  return { form: part.get("form").list(readSetting), values: readValues(part.get("values")) };
}

export function readValues(part: Part): ReadonlyMap<string, unknown> {
  const { value } = part;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return part.fail("an object");
  return new Map(Object.entries(value));
}

function readSetting(part: Part): Setting {
  return {
    name: part.get("name").text(),
    kind: part.get("kind").oneOf(KINDS),
    low: part.get("low").orNull(amount),
    high: part.get("high").orNull(amount),
    choices: part.get("choices").orNull((choices) => choices.list(text)) ?? [],
    initial: part.get("default").value,
    text: part.get("text").text(),
    warning: part.get("warning").text(),
    expected: part.get("expected").text(),
    refused: part.get("refused").value === true,
    group: part.get("group").oneOf(GROUPS),
  };
}

/** A value in words; "" for none. */
export function written(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What a field shows for a value; "" for none. A field of texts is a list of lines, as JSON. */
export function shown(setting: Setting, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (setting.kind === "texts") return JSON.stringify([value].flat().map((text) => onOneLine(written(text))));
  return written(value);
}

/** What goes to the kernel, which reads a text by the parameter's kind and says what it expected; null takes back. */
export function meant(setting: Setting, field: string): Json {
  if (field.trim() === "") return null;
  switch (setting.kind) {
    case "texts": {
      const filled = linesOf(field).filter((line) => line !== "");
      return filled.length > 0 ? filled.map(fromOneLine) : null;
    }
    case "text":
      return field;
    default:
      // The table writes a minus as it is printed, and so may who copies from it.
      return field.trim().replace(/^−/, "-");
  }
}

/** The lines of a field of texts. */
export function linesOf(field: string): readonly string[] {
  return field === "" ? [] : (JSON.parse(field) as readonly string[]);
}

const ESCAPED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };
const PLAIN = new Map(Object.entries(ESCAPED).map(([character, escape]) => [escape, character]));

/** A text on one line: a new line is written as \n. */
function onOneLine(many: string): string {
  return many.replace(/[\n\r\t\\]/g, (character) => ESCAPED[character] ?? character);
}

function fromOneLine(line: string): string {
  return line.replace(/\\[nrt\\]/g, (escape) => PLAIN.get(escape) ?? escape);
}
