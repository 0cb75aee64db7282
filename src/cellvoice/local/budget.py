"""The token limit, counted as the service does: text and sound together."""

from __future__ import annotations

__all__ = ["Budget"]


class Budget:
    """Says how much of each sentence still fits; `reached` is true once something was cut."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.text = 0
        self.audio = 0
        self.reached = False

    def fit(self, text: int, audio: int) -> tuple[int, int]:
        """How many text and audio tokens of a sentence may be given.

        A sentence that does not fit is cut in both by the same share, and so mid-word, as the
        service does, which makes words and sound side by side.
        """
        if self._limit is not None:
            left = self._limit - self.text - self.audio
            if text + audio > left:
                self.reached = True
                audio = left * audio // (text + audio)
                text = left - audio
        self.text += text
        self.audio += audio
        return text, audio
