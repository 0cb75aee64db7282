import { describe, expect, test } from "vitest";
import { pageFacts, refusalFor, RefusedError, type PageFacts } from "../audio/refusals";

const FINE: PageFacts = { secure: true, hasMicrophoneApi: true, policyAllows: true, host: "page" };
const named = (name: string, message = ""): DOMException => new DOMException(message, name);

describe.each([
  ["denied", named("NotAllowedError", "Permission denied"), FINE, "denied for this page"],
  ["dismissed", named("NotAllowedError", "Permission dismissed"), FINE, "without an answer"],
  ["denied by the system", named("NotAllowedError", "Permission denied by system"), FINE, "operating system"],
  ["no device", named("NotFoundError"), FINE, "no microphone"],
  ["busy", named("NotReadableError"), FINE, "in use by another program"],
  ["given up", named("AbortError"), FINE, "gave up"],
  ["gone", named("OverconstrainedError"), FINE, "chosen microphone"],
  ["insecure page", new TypeError("undefined"), { ...FINE, secure: false, hasMicrophoneApi: false }, "https"],
  ["no API", new TypeError("undefined"), { ...FINE, hasMicrophoneApi: false }, "offers no microphone"],
  [
    "policy",
    named("NotAllowedError"),
    { ...FINE, policyAllows: false, host: "frame" as const },
    "forbids the microphone",
  ],
  ["VS Code", named("NotAllowedError"), { ...FINE, host: "vscode" as const }, "VS Code"],
  ["another recorder", new RefusedError("MicrophoneInUse", ""), FINE, "Another recorder"],
  ["no worklet", new RefusedError("WorkletRefused", ""), FINE, "content policy"],
  ["old name", Object.assign(new Error(), { name: "DevicesNotFoundError" }), FINE, "no microphone"],
  ["unknown", named("QuotaExceededError"), FINE, "could not start the microphone (QuotaExceededError)"],
  ["nothing thrown", undefined, FINE, "could not start the microphone (Error)"],
  ["hostile name", { name: "__proto__" }, FINE, "could not start the microphone (__proto__)"],
])("%s", (_case, error, facts, words) => {
  const refusal = refusalFor(error, facts);

  test("has one sentence that says what happened", () => {
    expect(refusal.sentence).toContain(words);
    expect(refusal.sentence.match(/[.!?](\s|$)/g)).toHaveLength(1);
  });

  test("has one action, and keeps the browser's name", () => {
    expect(refusal.action).toMatch(/^[A-Z].*\.$/);
    const name = typeof error === "object" ? error.name : "Error";
    expect(refusal.name).toBe(name);
  });
});

test("what jsdom can say about its page is no surprise", () => {
  expect(pageFacts()).toMatchObject({ hasMicrophoneApi: false, host: "page" });
});
