import { afterEach, describe, expect, test, vi } from "vitest";
import { pageAudio } from "../audio/context";
import { FilePlayer } from "../audio/file-player";
import { forgetSounds, setUp, tone } from "./players";
import { settled } from "./ring-speakers";

afterEach(forgetSounds);

describe("finished sound in a file", () => {
  /** jsdom plays nothing: this element does what the standard says, as far as the player relies on it. */
  class Element extends EventTarget {
    src = "";
    preload: "" | "none" | "metadata" | "auto" = "";
    duration = Number.NaN;
    currentTime = 0;
    playbackRate = 1;
    ended = false;
    error = null;
    load = vi.fn();
    removeAttribute = vi.fn();
    refusal: DOMException | null = null;
    play(): Promise<void> {
      if (this.refusal !== null) return Promise.reject(this.refusal);
      this.ended = false;
      this.dispatchEvent(new Event("play"));
      return Promise.resolve();
    }
    pause(): void {
      this.dispatchEvent(new Event("pause"));
    }
    finish(): void {
      this.currentTime = this.duration;
      this.ended = true;
      this.dispatchEvent(new Event("pause"));
      this.dispatchEvent(new Event("ended"));
    }
  }

  function open(): { element: Element; player: FilePlayer } {
    const element = new Element();
    const sound = { content: "data:audio/mpeg;base64,AAAA", mime: "audio/mpeg", duration_s: 2 };
    return { element, player: new FilePlayer(sound, element) };
  }

  test("follows its element from ready to ended", () => {
    const { element, player } = open();
    expect([player.phase.value, player.duration_s.value]).toEqual(["ready", 2]);
    element.duration = 2.5;
    element.dispatchEvent(new Event("durationchange"));
    player.play();
    expect(player.phase.value).toBe("playing");
    player.seek(1);
    expect([element.currentTime, player.position_s.value]).toEqual([1, 1]);
    player.pause();
    expect(player.phase.value).toBe("paused");
    player.play();
    element.finish();
    expect([player.phase.value, player.position_s.value]).toEqual(["ended", 2.5]);
    player.close();
    expect(element.removeAttribute).toHaveBeenCalledWith("src");
  });

  test("plays faster by its element, and a part of it over and over", () => {
    vi.useFakeTimers();
    const { element, player } = open();
    player.setSpeed(1.5);
    expect([element.playbackRate, player.speed.value]).toEqual([1.5, 1.5]);
    player.setLoop({ from_s: 0.5, to_s: 1 });
    player.play();
    element.currentTime = 1.02;
    vi.advanceTimersByTime(60);
    expect([element.currentTime, player.position_s.value]).toEqual([0.5, 0.5]);
    element.duration = 2;
    element.finish();
    expect([element.currentTime, player.phase.value]).toEqual([0.5, "playing"]);
    player.setLoop(null);
    element.finish();
    expect(player.phase.value).toBe("ended");
    player.close();
    vi.useRealTimers();
  });

  test("gives the file as it came", async () => {
    const { player } = open();
    const file = await player.file();
    expect([file?.type, file?.size]).toEqual(["audio/mpeg", 3]);
  });

  test("pauses the reply that streams, and is paused by it", async () => {
    const { player: stream } = setUp();
    const reply = stream("t1");
    reply.feed(0, tone(1));
    reply.play();
    await settled();
    const { player } = open();
    player.play();
    expect([reply.phase.value, player.phase.value]).toEqual(["paused", "playing"]);
    reply.play();
    expect(player.phase.value).toBe("paused");
    player.close();
  });

  test("is blocked when the browser wants a click, and empty when it cannot play the format", async () => {
    const { element, player } = open();
    element.refusal = new DOMException("", "NotAllowedError");
    player.play();
    await settled();
    expect(player.phase.value).toBe("blocked");
    expect(pageAudio().speaking).toBeNull();
    const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
    element.refusal = new DOMException("", "NotSupportedError");
    player.play();
    await settled();
    expect(player.phase.value).toBe("empty");
    complaint.mockRestore();
  });
});
