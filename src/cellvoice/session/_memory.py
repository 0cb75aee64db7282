"""How much of what was said is replayed as sound: memory for money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from cellvoice.errors import UsageError

__all__ = ["HistoryChoice", "Memory", "Rung"]

HistoryChoice = Literal["audio", "transcript"]
# How one earlier answer was repeated to the model.
Rung = Literal["audio", "transcript"]


@dataclass(frozen=True, slots=True)
class Memory:
    """`history` "transcript" repeats every answer by its words; `audio_turns` limits the sound.

    With `audio_turns` the newest so many spoken answers are repeated as sound, and those before
    them by their words; None is all of them.
    """

    history: HistoryChoice = "audio"
    audio_turns: int | None = None

    def checked(self) -> Memory:
        """This, if it can be. Raises UsageError."""
        if self.history not in ("audio", "transcript"):
            raise UsageError(f"history={self.history!r}: expected 'audio' or 'transcript'")
        count = self.audio_turns
        if count is not None and (type(count) is not int or count < 0):
            raise UsageError(f"audio_turns={count!r}: expected a whole number from 0, or None")
        return self

    def taken_from(self, given: dict[str, object]) -> Memory:
        """With what `given` replaces, which is taken out of it; None is the default."""
        history = given.pop("history", self.history)
        audio_turns = given.pop("audio_turns", self.audio_turns)
        return Memory(
            cast("HistoryChoice", "audio" if history is None else history),
            cast("int | None", audio_turns),
        ).checked()

    def values(self) -> dict[str, object]:
        """What was set, JSON-ready."""
        values: dict[str, object] = {}
        if self.history != "audio":
            values["history"] = self.history
        if self.audio_turns is not None:
            values["audio_turns"] = self.audio_turns
        return values
