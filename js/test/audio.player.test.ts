import { afterEach, describe, expect, test, vi } from "vitest";
import { pageAudio } from "../audio/context";
import { adoptPlayer } from "../audio/file-player";
import type { StreamPlayer } from "../audio/playback";
import { ROOM_S } from "../audio/shelf";
import { forgetSounds, gone, RATE_HZ, setUp, tone } from "./players";
import { settled, type RingSpeakers } from "./ring-speakers";

afterEach(forgetSounds);

test("a reply plays as it comes, and its phases, position and length can be followed", async () => {
  const { speakers, player } = setUp();
  const reply = player("t1");
  const phases: string[] = [];
  reply.phase.subscribe((phase) => phases.push(phase));
  reply.feed(0, tone(1));
  reply.autoPlay();
  await settled();
  speakers.render(0.5);
  expect(reply.position_s.value).toBeCloseTo(0.5, 1);
  reply.feed(RATE_HZ, tone(1));
  expect(reply.duration_s.value).toBe(2);
  reply.finish();
  speakers.render(2);
  expect(phases).toEqual(["empty", "ready", "playing", "ended"]);
  expect(reply.position_s.value).toBe(2);
  expect(speakers.heard).toHaveLength(2 * RATE_HZ);
  expect(speakers.voices).toBe(0);
});

test("a reply that two views of the page show is heard once, and each view can still play it", async () => {
  const { speakers, player } = setUp();
  const [card, pad] = [player("t1"), player("t1")];
  for (const shown of [card, pad]) {
    shown.feed(0, tone(0.5));
    shown.autoPlay();
    shown.finish();
  }
  await settled();
  speakers.render(2);
  expect(speakers.heard).toHaveLength(0.5 * RATE_HZ);
  expect(card.phase.value).toBe("ended");
  expect(pad.phase.value).toBe("ready");
  pad.play();
  await settled();
  speakers.render(2);
  expect(speakers.heard).toHaveLength(RATE_HZ);
});

test("what is sent twice or overlaps is heard once", async () => {
  const { speakers, player } = setUp();
  const reply = player("t1");
  reply.feed(0, tone(0.5));
  reply.feed(0, tone(0.5));
  reply.feed(6_000, tone(0.5, 6_001));
  reply.finish();
  reply.play();
  await settled();
  speakers.render(2);
  expect(reply.duration_s.value).toBe(0.75);
  expect(speakers.heard.map((sample) => sample * 32_768)).toEqual(Array.from(tone(0.75)));
});

test("pause keeps the place, seek moves it, and play after the end begins again", async () => {
  const { speakers, player } = setUp();
  const reply = player("t1");
  reply.feed(0, tone(1));
  reply.finish();
  reply.play();
  await settled();
  speakers.render(0.2);
  reply.pause();
  speakers.render(0.2);
  expect(reply.phase.value).toBe("paused");
  const before = speakers.heard.length;
  reply.seek(0.75);
  expect(reply.position_s.value).toBe(0.75);
  reply.play();
  speakers.render(1);
  expect(speakers.heard.length - before).toBe(6_000);
  expect(reply.phase.value).toBe("ended");
  reply.play();
  await settled();
  speakers.render(2);
  expect(speakers.heard.length - before).toBe(30_000);
  reply.seek(Number.NaN);
  reply.seek(99);
  expect(reply.position_s.value).toBe(1);
});

test("replies that start by themselves follow each other, and a press of play takes over", async () => {
  const { speakers, player } = setUp();
  const [one, two, three] = [player("t1"), player("t2"), player("t3")];
  for (const reply of [one, two, three]) {
    reply.feed(0, tone(0.5));
    reply.finish();
  }
  one.autoPlay();
  two.autoPlay();
  await settled();
  expect([one.phase.value, two.phase.value]).toEqual(["playing", "ready"]);
  speakers.render(0.6);
  await settled();
  expect([one.phase.value, two.phase.value]).toEqual(["ended", "playing"]);
  three.play();
  await settled();
  expect([two.phase.value, three.phase.value]).toEqual(["paused", "playing"]);
  speakers.render(1);
  await settled();
  expect([two.phase.value, three.phase.value]).toEqual(["paused", "ended"]);
});

test("a pause asks for quiet: replies that wait do not begin", async () => {
  const { player } = setUp();
  const [one, two] = [player("t1"), player("t2")];
  one.feed(0, tone(1));
  two.feed(0, tone(1));
  one.autoPlay();
  two.autoPlay();
  await settled();
  one.pause();
  await settled();
  expect(two.phase.value).toBe("ready");
});

describe("when the browser lets no sound out", () => {
  test("the player is blocked, and a click plays from the beginning", async () => {
    const { clock, speakers, player } = setUp({ running: false });
    const reply = player("t1");
    reply.feed(0, tone(0.5));
    reply.autoPlay();
    clock.advance(5_000);
    expect(reply.phase.value).toBe("blocked");
    reply.feed(12_000, tone(0.5, 12_001));
    reply.finish();
    reply.play();
    speakers.allow();
    await settled();
    speakers.render(2);
    expect(speakers.heard).toHaveLength(RATE_HZ);
    expect(reply.phase.value).toBe("ended");
  });

  test("a machine that is slow after a click is not taken for a browser that forbids", async () => {
    const { clock, speakers, player } = setUp({ running: false });
    const reply = player("t1");
    reply.feed(0, tone(0.5));
    reply.play();
    clock.advance(3_000);
    expect(reply.phase.value).not.toBe("blocked");
    speakers.allow();
    await settled();
    expect(reply.phase.value).toBe("playing");
  });

  test("a click for one reply does not set off the others that were blocked", async () => {
    const { clock, speakers, player } = setUp({ running: false });
    const [one, two] = [player("t1"), player("t2")];
    one.feed(0, tone(0.5));
    one.autoPlay();
    clock.advance(5_000);
    two.feed(0, tone(0.5));
    two.play();
    speakers.allow();
    await settled();
    expect([one.phase.value, two.phase.value]).toEqual(["blocked", "playing"]);
  });
});

describe("when the widget goes", () => {
  test("a reply that sounds or waits is heard to its end, and then nothing is left", async () => {
    const { speakers, player } = setUp();
    const [one, two] = [player("t1"), player("t2")];
    for (const reply of [one, two]) {
      reply.feed(0, tone(0.5));
      reply.autoPlay();
      reply.release();
    }
    await settled();
    speakers.render(0.6);
    await settled();
    speakers.render(0.6);
    expect(speakers.heard).toHaveLength(RATE_HZ);
    expect(pageAudio().live.size).toBe(0);
    expect(pageAudio().speaking).toBeNull();
  });

  test("a reply that waits is gone when the listener wants quiet, or hears another one", async () => {
    const { player } = setUp();
    for (const silence of [(one: StreamPlayer) => one.pause(), () => player("t9").play()]) {
      const [first, second] = [player("t1"), player("t2")];
      for (const reply of [first, second]) {
        reply.feed(0, tone(1));
        reply.autoPlay();
        reply.release();
      }
      await settled();
      silence(first);
      expect(pageAudio().live.size).toBe(0);
    }
  });

  test("a reply that is silent is gone at once", () => {
    const { player } = setUp();
    const reply = player("t1");
    reply.feed(0, tone(0.5));
    reply.release();
    expect(pageAudio().live.size).toBe(0);
  });

  test("the frozen card goes on with the sound, and lets it go when it goes itself", async () => {
    const { speakers, player } = setUp();
    const reply = player("t1");
    reply.feed(0, tone(1));
    reply.autoPlay();
    await settled();
    speakers.render(0.3);
    const adopted = adoptPlayer("t1", gone);
    reply.release();
    expect(adopted?.phase.value).toBe("playing");
    expect(adopted?.position_s.value).toBeCloseTo(0.3, 1);
    adopted?.pause();
    expect(adopted?.phase.value).toBe("paused");
    adopted?.play();
    await settled();
    speakers.render(1);
    expect(adopted?.phase.value).toBe("ended");
    expect(pageAudio().live.size).toBe(1);
    adopted?.close();
    expect(pageAudio().live.size).toBe(0);
  });

  test("there is nothing to adopt before any sound has come, nor after the end", async () => {
    const { speakers, player } = setUp();
    const reply = player("t1");
    expect(adoptPlayer("t1", gone)).toBeNull();
    reply.feed(0, tone(0.2));
    reply.finish();
    reply.play();
    await settled();
    speakers.render(1);
    expect(adoptPlayer("t1", gone)).toBeNull();
  });
});

describe("a page that has heard much", () => {
  /** A reply that came and was heard to its end, and where it can be had again. */
  async function heard(player: StreamPlayer, speakers: RingSpeakers, duration_s: number) {
    const load = vi.fn(() => Promise.resolve(tone(duration_s)));
    player.feed(0, tone(duration_s));
    player.finish();
    player.offer(duration_s, load);
    player.play();
    await settled();
    speakers.render(duration_s + 1);
    expect(player.phase.value).toBe("ended");
    return load;
  }

  test("keeps what was heard last, and fetches older sound again when it is played", async () => {
    const { speakers, player } = setUp();
    const [first, second, third] = [player("t1"), player("t2"), player("t3")];
    const load = await heard(first, speakers, ROOM_S / 2);
    const loadSecond = await heard(second, speakers, ROOM_S / 2);
    expect(load).not.toHaveBeenCalled();
    await heard(third, speakers, ROOM_S / 4);
    expect(first.duration_s.value).toBe(ROOM_S / 2);
    first.seek(ROOM_S / 2 - 1);
    speakers.heard.length = 0;
    first.play();
    second.samples().catch(() => undefined);
    await settled();
    speakers.render(2);
    expect(load).toHaveBeenCalledTimes(1);
    expect(loadSecond).not.toHaveBeenCalled();
    expect(speakers.heard).toHaveLength(RATE_HZ);
    expect(first.phase.value).toBe("ended");
    expect(pageAudio().live.size).toBe(3);
  });

  test("drops nothing that cannot be had again", async () => {
    const { speakers, player } = setUp();
    const first = player("t1");
    first.feed(0, tone(1));
    first.finish();
    await heard(player("t2"), speakers, ROOM_S);
    first.play();
    await settled();
    speakers.render(2);
    expect(first.phase.value).toBe("ended");
  });

  test("lets a paused sound go, and goes on with it where it was", async () => {
    const { speakers, player } = setUp();
    const first = player("t1");
    first.feed(0, tone(2));
    first.finish();
    first.offer(2, () => Promise.resolve(tone(2)));
    first.play();
    await settled();
    speakers.render(0.5);
    first.pause();
    speakers.render(0.1);
    await heard(player("t2"), speakers, ROOM_S);
    expect(speakers.voices).toBe(0);
    expect(first.phase.value).toBe("paused");
    speakers.heard.length = 0;
    first.play();
    await settled();
    speakers.render(2);
    expect(speakers.heard.length / RATE_HZ).toBeCloseTo(1.5, 2);
  });
});

test("sound that is elsewhere is offered, fetched on play, and heard whole", async () => {
  const { speakers, player } = setUp();
  const reply = player("t1");
  const load = vi.fn(() => Promise.resolve(tone(0.5)));
  reply.finish();
  reply.offer(0.5, load);
  expect([reply.phase.value, reply.duration_s.value]).toEqual(["ready", 0.5]);
  expect(load).not.toHaveBeenCalled();
  reply.play();
  await settled();
  speakers.render(1);
  expect(speakers.heard).toHaveLength(12_000);
  reply.play();
  await settled();
  speakers.render(1);
  expect(load).toHaveBeenCalledOnce();
});

test("underruns raise the start-up buffer of the next reply, and a smooth reply lowers it again", async () => {
  const { speakers, player } = setUp();
  const rough = player("t1");
  rough.feed(0, tone(0.2));
  rough.autoPlay();
  await settled();
  speakers.render(0.5);
  rough.feed(4_800, tone(1));
  rough.finish();
  speakers.render(2);
  const learned_s = pageAudio().start_buffer_s;
  expect(learned_s).toBeGreaterThan(0.19);
  expect(rough.report?.underruns).toBe(1);
  const smooth = player("t2");
  smooth.feed(0, tone(1));
  smooth.finish();
  smooth.autoPlay();
  await settled();
  speakers.render(2);
  expect(pageAudio().start_buffer_s).toBeCloseTo(learned_s * 0.8);
});
