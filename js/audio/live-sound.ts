import type { LiveSound } from "./context";
import type { StreamPlayer } from "./playback";

/** A player as another bundle on the page follows it; `watch` is told of every change. */
export function liveSoundOf(player: StreamPlayer, watch: LiveSound["watch"]): LiveSound {
  return {
    state: () => ({
      phase: player.phase.value,
      position_s: player.position_s.value,
      duration_s: player.duration_s.value,
    }),
    watch,
    play: () => player.play(),
    pause: () => player.pause(),
    seek: (position_s) => player.seek(position_s),
    shape: () => ({ speed: player.speed.value, loop: player.loop.value }),
    setSpeed: (speed) => player.setSpeed(speed),
    setLoop: (loop) => player.setLoop(loop),
    samples: () => player.samples(),
    offer: (duration_s, load) => player.offer(duration_s, load),
  };
}
