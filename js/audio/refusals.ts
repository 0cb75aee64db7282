/** Each way a browser can refuse the microphone: one sentence, one action, the browser's own name kept. */

import type { Refusal } from "../core/ports";

/** What is known about the page when the microphone is asked for. */
export interface PageFacts {
  readonly secure: boolean;
  readonly hasMicrophoneApi: boolean;
  /** False when the embedding page or host forbids the microphone; null when it cannot be known. */
  readonly policyAllows: boolean | null;
  readonly host: "vscode" | "frame" | "page";
}

/** A refusal of our own, with a name in the same row as the browser's. */
export class RefusedError extends Error {
  constructor(
    override readonly name: "MicrophoneInUse" | "WorkletRefused",
    message: string,
  ) {
    super(message);
  }
}

const UPLOAD = "Choose a sound file instead.";

const REFUSALS: Readonly<Record<string, { readonly sentence: string; readonly action: string }>> = {
  NotAllowedError: {
    sentence: "The microphone was denied for this page.",
    action: "Allow the microphone beside the page's address, then record again, or choose a sound file.",
  },
  PermissionDismissed: {
    sentence: "The question for the microphone was closed without an answer.",
    action: "Press record again and allow the microphone, or choose a sound file.",
  },
  SystemDenied: {
    sentence: "The operating system does not let this browser use the microphone.",
    action: "Allow the microphone for the browser in the system's privacy settings, or choose a sound file.",
  },
  NotFoundError: {
    sentence: "This computer has no microphone that the browser can see.",
    action: "Connect a microphone and record again, or choose a sound file.",
  },
  NotReadableError: {
    sentence: "The microphone is in use by another program or does not answer.",
    action: "Close the other program and record again, or choose a sound file.",
  },
  AbortError: {
    sentence: "The browser gave up starting the microphone.",
    action: "Record again; if it stays so, choose a sound file.",
  },
  OverconstrainedError: {
    sentence: "The chosen microphone is gone or cannot record as asked.",
    action: "Choose another microphone and record again, or choose a sound file.",
  },
  MicrophoneInUse: {
    sentence: "Another recorder on this page is recording.",
    action: "Stop the other recording first.",
  },
  WorkletRefused: {
    sentence: "This page's content policy does not let cellvoice process sound.",
    action: UPLOAD,
  },
};

/** The browser's error as a person should read it. */
export function refusalFor(error: unknown, facts: PageFacts): Refusal {
  const name = textOf(error, "name") || "Error";
  const forbidden = forbiddenByPage(name, facts);
  if (forbidden !== null) return { name, ...forbidden };
  const known = REFUSALS[keyFor(name, error)];
  if (known !== undefined) return { name, ...known };
  return { name, sentence: `The browser could not start the microphone (${name}).`, action: UPLOAD };
}

function forbiddenByPage(name: string, facts: PageFacts): { sentence: string; action: string } | null {
  if (name === "MicrophoneInUse" || name === "WorkletRefused") return null;
  if (facts.host === "vscode" && (name === "NotAllowedError" || !facts.hasMicrophoneApi)) {
    return {
      sentence: "VS Code does not let notebook outputs use the microphone.",
      action: "Choose a sound file, or open this notebook in JupyterLab.",
    };
  }
  if (!facts.secure) {
    return {
      sentence:
        "Browsers give the microphone only to pages opened over https or on localhost, and this page is neither.",
      action: "Open the notebook over https or through localhost, or choose a sound file.",
    };
  }
  if (facts.policyAllows === false) {
    return { sentence: "The page around this notebook forbids the microphone.", action: UPLOAD };
  }
  if (!facts.hasMicrophoneApi) {
    return { sentence: "This browser offers no microphone to pages.", action: UPLOAD };
  }
  return null;
}

/** Chromium tells a dismissed prompt and a denial by the system apart only in the message. */
function keyFor(name: string, error: unknown): string {
  if (name === "NotAllowedError") {
    const message = textOf(error, "message");
    if (/dismissed/i.test(message)) return "PermissionDismissed";
    if (/system/i.test(message)) return "SystemDenied";
  }
  // Older browsers used these names for the same things.
  const older: Readonly<Record<string, string>> = {
    PermissionDeniedError: "NotAllowedError",
    DevicesNotFoundError: "NotFoundError",
    TrackStartError: "NotReadableError",
  };
  return Object.hasOwn(older, name) ? (older[name] ?? name) : Object.hasOwn(REFUSALS, name) ? name : "";
}

/** A DOMException is not everywhere an Error, and one of another realm is none of this page's. */
function textOf(error: unknown, key: "name" | "message"): string {
  if (typeof error !== "object" || error === null || !(key in error)) return "";
  const value = (error as Record<string, unknown>)[key];
  return typeof value === "string" ? value : "";
}

/** What can be known about this page before asking. */
export function pageFacts(): PageFacts {
  const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
  return {
    secure: globalThis.isSecureContext,
    hasMicrophoneApi: typeof devices?.getUserMedia === "function",
    policyAllows: policyAllows(),
    host: /^vscode-webview:|\.vscode-cdn\.net$/.test(location.origin)
      ? "vscode"
      : window.parent === window
        ? "page"
        : "frame",
  };
}

function policyAllows(): boolean | null {
  const page = document as { permissionsPolicy?: Policy; featurePolicy?: Policy };
  const policy = page.permissionsPolicy ?? page.featurePolicy;
  return policy === undefined ? null : policy.allowsFeature("microphone");
}

interface Policy {
  allowsFeature(name: string): boolean;
}
