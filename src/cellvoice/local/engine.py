"""The engine: a checked request in, typed events out. It knows no HTTP and no JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cellvoice.audio import Clip
from cellvoice.protocol import ENGINE_MODEL

from .asks import Ask
from .choices import ChoiceMaker, interleaved
from .corpus import load_corpus
from .ears import Ear, choose_ear
from .events import Event, Spent
from .hearing import understand
from .memory import Memory
from .messages import Earlier, Message
from .mind import Mind
from .model import LanguageModel
from .voices import Voice, choose_voice

__all__ = ["NAME", "Engine"]

NAME = ENGINE_MODEL
BADGE = "embedded engine, not gpt-audio"


class Engine:
    """Hears, answers and speaks. One may serve several requests at a time, from any thread."""

    def __init__(
        self,
        *,
        voice: Voice | None = None,
        ear: Ear | None = None,
        corpus_path: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._voice = voice or choose_voice()
        self._ear = ear or choose_ear(corpus_path=corpus_path)
        model = LanguageModel(load_corpus(corpus_path))
        self.tokenizer = model.tokenizer
        self._mind = Mind(model)
        self._memory = Memory(clock)
        self.clock = clock

    @property
    def fingerprint(self) -> str:
        """The parts in use, in the form of the service's `system_fingerprint`."""
        return f"fp_cellvoice_{self._voice.part}_{self._ear.part}"

    def described(self, heard: str | None, sound: str | None) -> dict[str, str | None]:
        """What the engine is, for the `x_engine` field of a reply."""
        return {
            "name": NAME,
            "badge": BADGE,
            "voice": self._voice.label,
            "ear": self._ear.label,
            "heard": heard,
            "sound": sound,
        }

    def earlier(self, audio_id: str) -> Earlier | None:
        """A spoken answer of the last hour, or None."""
        return self._memory.get(audio_id)

    def warm_up(self) -> None:
        """Let the ear load its models in the background."""
        self._ear.warm_up()

    def close(self) -> None:
        """End the ear's process."""
        self._ear.close()

    def reply(self, ask: Ask) -> Iterator[Event]:
        """Answer one request, event by event; closing the iterator stops the work.

        Raises EngineError when a part fails; nothing is remembered of a reply that did not end.
        """
        understood = understand(self._ear, _newest(ask, "user"))
        plan = self._mind.plan(ask, understood.question, understood.notice)
        maker = ChoiceMaker(ask, plan, self.tokenizer, self._voice, self._memory)
        choices = [maker.choice(index, understood) for index in range(ask.choices)]
        yield from interleaved(choices)
        prompt_text, prompt_audio = self._prompt(ask)
        yield Spent(prompt_text, prompt_audio, maker.text, maker.audio)

    def _prompt(self, ask: Ask) -> tuple[int, int]:
        """Tokens of the prompt: 10 a second of sound, and a replayed answer at its own count."""
        text = audio = 0
        for message in ask.messages:
            for part in message.parts:
                if isinstance(part, Clip):
                    audio += int(10 * part.duration_s + 1e-9)
                else:
                    text += len(self.tokenizer.encode(part))
            if message.earlier is not None:
                audio += message.earlier.audio_tokens
                text += len(self.tokenizer.encode(message.earlier.transcript))
            for call in message.calls:
                text += len(self.tokenizer.encode(call.name + call.arguments))
        return text, audio


def _newest(ask: Ask, role: str) -> Message | None:
    return next((message for message in reversed(ask.messages) if message.role == role), None)
