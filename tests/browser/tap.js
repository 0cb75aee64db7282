// Listens to the page from outside: whatever goes to the speakers and whatever the microphone gives is recorded here,
// without asking the software under test. Installed before any script of the page.
(() => {
  if (globalThis.__tap !== undefined) return;

  // Only frames that are not silent are posted, with their place on the context's clock, so nothing is lost or shifted
  // when the page's thread is busy: the recording is put together again by frame number. How far the clock is comes by
  // the same way, behind the sound: a busy thread must not take sound that still waits in the queue for silence.
  const processor = `
    registerProcessor("outside-tap", class extends AudioWorkletProcessor {
      #start = 0; #held = []; #blocks = 0;
      #flush() {
        if (this.#held.length === 0) return;
        const samples = new Float32Array(this.#held.length * 128);
        this.#held.forEach((block, i) => samples.set(block, i * 128));
        this.port.postMessage({ start: this.#start, samples }, [samples.buffer]);
        this.#held = [];
      }
      process([input]) {
        const mix = new Float32Array(128);
        for (const channel of input) for (let i = 0; i < 128; i++) mix[i] += channel[i] / input.length;
        if (mix.some((x) => x !== 0)) {
          if (this.#held.length === 0) this.#start = currentFrame;
          this.#held.push(mix);
          if (this.#held.length >= 16) this.#flush();
        } else this.#flush();
        if (++this.#blocks % 16 === 0) {
          this.#flush();
          this.port.postMessage({ heard: currentFrame + 128 });
        }
        return true;
      }
    });`;
  // Not a Blob URL: a page opened from a file may not load those.
  const moduleUrl = `data:text/javascript,${encodeURIComponent(processor)}`;

  const recordings = [];
  const byContext = new WeakMap();
  const addModule = AudioWorklet.prototype.addModule;
  const connect = AudioNode.prototype.connect;
  const disconnect = AudioNode.prototype.disconnect;

  const modules = new WeakMap();
  function moduleIn(context) {
    if (!modules.has(context)) modules.set(context, addModule.call(context.audioWorklet, moduleUrl));
    return modules.get(context);
  }

  function record(context, kind) {
    const recording = { kind, rate: context.sampleRate, chunks: [], loud: 0, lastLoud: 0, heard: 0, context, node: null };
    recordings.push(recording);
    recording.ready = moduleIn(context).then(() => {
      const node = new AudioWorkletNode(context, "outside-tap", { numberOfOutputs: 0 });
      node.port.onmessage = ({ data }) => {
        if (data.heard !== undefined) {
          recording.heard = data.heard / context.sampleRate;
          return;
        }
        recording.chunks.push(data);
        const loud = data.samples.reduce((n, x) => n + (Math.abs(x) > 0.02 ? 1 : 0), 0);
        if (loud > 0) recording.lastLoud = (data.start + data.samples.length) / context.sampleRate;
        recording.loud += loud;
      };
      recording.node = node;
      for (const pending of recording.pending) connect.call(pending, node);
    });
    recording.pending = [];
    return recording;
  }
  function into(recording, source, output) {
    if (recording.node === null) recording.pending.push(source);
    else connect.call(source, recording.node, output ?? 0);
  }

  // Speakers, by Web Audio.
  const RealContext = globalThis.AudioContext;
  globalThis.AudioContext = class AudioContext extends RealContext {
    constructor(...args) {
      super(...args);
      const recording = record(this, "speakers");
      byContext.set(this, recording);
      // The page's own modules wait for ours, so that the first sound of a player is not missed.
      const worklet = this.audioWorklet;
      worklet.addModule = async (...rest) => {
        await recording.ready;
        return addModule.apply(worklet, rest);
      };
    }
  };
  AudioNode.prototype.connect = function (target, output, input) {
    const result = connect.apply(this, arguments);
    const recording = byContext.get(this.context);
    if (recording && target === this.context.destination) into(recording, this, output);
    return result;
  };
  AudioNode.prototype.disconnect = function (target) {
    const result = disconnect.apply(this, arguments);
    const recording = byContext.get(this.context);
    if (recording?.node && target === this.context.destination) {
      try { disconnect.call(this, recording.node); } catch { /* it was connected before the tap was ready */ }
    }
    return result;
  };

  // Speakers, by media elements: led through a graph of ours, which misses nothing as `captureStream` does at its start.
  const routed = new WeakSet();
  const fromElement = RealContext.prototype.createMediaElementSource;
  RealContext.prototype.createMediaElementSource = function (element) {
    routed.add(element);
    return fromElement.call(this, element);
  };
  let elements = null;
  function listenTo(element) {
    elements ??= record(new RealContext({ sampleRate: 24000 }), "element");
    if (!routed.has(element)) {
      routed.add(element);
      const source = fromElement.call(elements.context, element);
      connect.call(source, elements.context.destination);
      into(elements, source);
    }
    return elements.ready;
  }
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = async function () {
    await listenTo(this);
    return play.call(this);
  };
  document.addEventListener("loadedmetadata", ({ target }) => listenTo(target), true);

  // The microphone: the very node that the page reads, so a stutter of the browser is seen here as there.
  const fromStream = RealContext.prototype.createMediaStreamSource;
  RealContext.prototype.createMediaStreamSource = function (stream) {
    const source = fromStream.call(this, stream);
    into(record(this, "microphone"), source);
    return source;
  };

  function base64(floats) {
    const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return btoa(text);
  }

  globalThis.__tap = {
    /** True when the newest microphone has heard speech and then nothing for `quiet_s`. */
    spoken(quiet_s) {
      const microphone = recordings.findLast((r) => r.kind === "microphone");
      if (microphone === undefined || microphone.loud < 0.2 * microphone.rate) return false;
      return microphone.heard - microphone.lastLoud > quiet_s;
    },
    /** True when the microphone has given anything loud. */
    hearing: () => recordings.some((r) => r.kind === "microphone" && r.loud > 0),
    /** Seconds of sound that were not silent, over all speakers. */
    rendered_s: () =>
      recordings
        .filter((r) => r.kind !== "microphone")
        .reduce((sum, r) => sum + r.chunks.reduce((n, c) => n + c.samples.length, 0) / r.rate, 0),
    /** True when something was rendered and then nothing for `quiet_s`. */
    quiet(quiet_s) {
      const loud = recordings.filter((r) => r.kind !== "microphone" && r.loud > 0);
      return loud.length > 0 && loud.every((r) => r.heard - r.lastLoud > quiet_s);
    },
    take: (kinds) =>
      recordings
        .filter((r) => kinds.includes(r.kind) && r.chunks.length > 0)
        .map((r) => ({
          kind: r.kind,
          rate: r.rate,
          chunks: r.chunks.map((c) => ({ start: c.start, samples: base64(c.samples) })),
        })),
    /** True when every element that is on the page can be heard. */
    ready: () => elements !== null && elements.node !== null,
    /** Forget what was rendered so far. */
    forget() {
      for (const r of recordings) Object.assign(r, { chunks: [], loud: 0 });
    },
  };
})();
