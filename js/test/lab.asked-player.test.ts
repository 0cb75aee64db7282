import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AskedPlayer } from "../lab/asked-player";

const SOUND = new Uint8Array([1, 2, 3]);

let played: number;

beforeEach(() => {
  played = 0;
  URL.createObjectURL = () => "blob:sound";
  URL.revokeObjectURL = () => undefined;
  vi.spyOn(HTMLMediaElement.prototype, "play").mockImplementation(() => {
    played += 1;
    return Promise.resolve();
  });
  vi.spyOn(HTMLMediaElement.prototype, "pause").mockImplementation(() => undefined);
  vi.spyOn(HTMLMediaElement.prototype, "load").mockImplementation(() => undefined);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** A player, and the kernel's answer, which is given by hand. */
function waiting() {
  let give: (sound: Uint8Array<ArrayBuffer> | null) => void = () => undefined;
  const given = new Promise<Uint8Array<ArrayBuffer> | null>((resolve) => (give = resolve));
  const load = vi.fn(() => given);
  const answer = async (sound: Uint8Array<ArrayBuffer> | null): Promise<void> => {
    give(sound);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { player: new AskedPlayer(1.5, load), load, answer };
}

describe("a sound that only the kernel has", () => {
  it("is asked for when it is to be played, once, and plays when it has come", async () => {
    const { player, load, answer } = waiting();
    expect([player.phase.value, player.duration_s.value]).toEqual(["ready", 1.5]);
    expect(load).not.toHaveBeenCalled();
    player.play();
    expect(player.phase.value).toBe("playing");
    expect(played).toBe(0);
    await answer(SOUND);
    expect(played).toBe(1);
    player.pause();
    player.play();
    await vi.waitFor(() => expect(played).toBe(2));
    expect(load).toHaveBeenCalledOnce();
    expect((await player.file())?.size).toBe(SOUND.length);
  });

  it("does not play when it was called off meanwhile, or its card has gone", async () => {
    const off = waiting();
    off.player.play();
    off.player.pause();
    await off.answer(SOUND);
    const gone = waiting();
    gone.player.play();
    gone.player.close();
    await gone.answer(SOUND);
    expect(played).toBe(0);
  });

  it("cannot be played where the kernel has it no more", async () => {
    const { player, answer } = waiting();
    player.play();
    await answer(null);
    expect(player.phase.value).toBe("empty");
    expect(await player.samples()).toBeNull();
  });
});
