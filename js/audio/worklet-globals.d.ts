/** The AudioWorkletGlobalScope, as far as the worklets use it; TypeScript's DOM library leaves it out. */
declare const sampleRate: number;
declare function registerProcessor(
  name: string,
  processor: new (options: { processorOptions: unknown }) => AudioWorkletProcessor,
): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
/** Put in front of a worklet's source by `loadWorklet`. */
declare const CELLVOICE_PROCESSOR: string;
