// The built widget on a bare page, with a kernel of a few lines: for tests of sound that need no Jupyter.
import widget from "/widget.js";

const CODE = "the built one";
const zipped = new Uint8Array(await (await fetch("/page.js.gz")).arrayBuffer());
// Here a policy forbids every module that has no address on the server, and a page that loads ours by itself needs none.
if (location.search === "?no-worklet") {
  const shared = { module: await import("/page.js"), failure: "", asked_ms: 0, ready: new Set() };
  globalThis[Symbol.for("cellvoice.code.v1")] = new Map([[CODE, shared]]);
}

const b64 = (bytes) => {
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
};
const unb64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Kernel {
  heard = [];
  answers = {};
  #log = [];
  #acked = 0;
  #run = null;

  constructor(traits) {
    this.traits = traits;
  }
  get = (name) => this.traits[name];
  on = (_name, run) => {
    this.#run = run;
  };
  off = () => {
    this.#run = null;
  };
  send = (content, _callbacks, buffers = []) => {
    // A real connection copies, so a page that reuses its memory would be found out.
    const copies = buffers.map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice());
    queueMicrotask(() => this.#take(structuredClone(content), copies));
  };
  emit(name, data, pcm) {
    const buffers = pcm === undefined ? [] : [new DataView(pcm.slice().buffer)];
    this.#log.push([{ v: 1, kind: "event", seq: this.#log.length + 1, name, data }, buffers]);
    this.#run?.(...this.#log.at(-1));
  }
  forget() {
    for (const message of this.#log) message[1] = [];
  }
  #take(content, buffers) {
    const { kind, page } = content;
    if (kind === "code") {
      this.#run?.({ v: 1, kind, name: CODE }, [new DataView(zipped.slice().buffer)]);
    } else if (kind === "hello") {
      this.#run?.({ v: 1, kind: "welcome", page }, []);
      for (const message of this.#log.slice(content.have)) this.#run?.(...message);
    } else if (kind === "resend") {
      for (const message of this.#log.slice(content.from - 1)) this.#run?.(...message);
    } else if (content.seq === this.#acked + 1) {
      this.#acked = content.seq;
      this.heard.push({ name: content.name, data: content.data, bytes: buffers[0] ?? new Uint8Array() });
      this.#run?.({ v: 1, kind: "ack", page, seq: this.#acked }, []);
      if (kind === "request") this.#answer(content);
    }
  }
  #answer({ page, id, name, data }) {
    const answer = this.answers[name] ?? { kind: "result", data: {} };
    const buffers = answer.bytes === undefined ? [] : [new DataView(unb64(answer.bytes).buffer)];
    this.#run?.({ v: 1, page, id, ...answer, data: answer.data ?? data }, buffers);
  }
}

let kernel;
let closers = [];

globalThis.rig = {
  open(view) {
    const el = document.createElement("div");
    document.body.replaceChildren(el);
    kernel = new Kernel({ view, code: CODE });
    const module = widget();
    closers = [module.initialize({ model: kernel })];
    closers.unshift(module.render({ model: kernel, el }));
  },
  close() {
    for (const close of closers) close();
  },
  emit: (name, data, pcm) => kernel.emit(name, data, pcm && unb64(pcm)),
  answer: (name, answer) => void (kernel.answers[name] = answer),
  /** Keep no sound that was sent, so that the page's own can be measured. */
  forget: () => kernel.forget(),
  heard: (name) => kernel.heard.filter((message) => message.name === name).map((message) => message.data),
  /** All frames of all recordings, put where they say they belong. */
  recorded() {
    const frames = kernel.heard.filter((message) => message.name === "record.frames");
    const end = Math.max(0, ...frames.map(({ data, bytes }) => data.start_frame * 2 + bytes.length));
    const all = new Uint8Array(end);
    for (const { data, bytes } of frames) all.set(bytes, data.start_frame * 2);
    return b64(all);
  },
  /** A reply in messages of `frames` samples; the n-th is sent `late_ms[n]` after the one before. */
  async speak(turn, pcm, frames, late_ms) {
    const bytes = unb64(pcm);
    let at = performance.now();
    for (let n = 0, byte = 0; byte < bytes.length; n += 1, byte += frames * 2) {
      at += late_ms[n % late_ms.length];
      await wait(Math.max(0, at - performance.now()));
      const data = { turn, start_frame: byte / 2, sample_rate_hz: 24000 };
      kernel.emit("turn.audio", data, bytes.slice(byte, byte + frames * 2));
    }
  },
  reports: () => globalThis[Symbol.for("cellvoice.audio.v1")]?.reports ?? [],
  contextState: () => globalThis[Symbol.for("cellvoice.audio.v1")]?.context?.state ?? "none",
};

// Playwright's own calls count as a person's touch, so a page that nobody touches does everything by itself.
if (location.search === "?alone") {
  const { card, state, pcm } = await (await fetch("/alone.json")).json();
  new MutationObserver(() => {
    if (document.querySelector(".cv-player[data-phase=blocked]")) console.log("blocked");
  }).observe(document, { subtree: true, childList: true, attributes: true });
  rig.open("card");
  rig.emit("pad.state", state);
  rig.emit("turn.started", { turn: card.id, card: { ...card, state: "running" } });
  await rig.speak(card.id, pcm, 1200, [50]);
  rig.emit("turn.ended", { turn: card.id, card: { ...card, state: "complete" } });
  console.log("spoken");
}
