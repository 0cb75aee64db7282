"""An answer, sentence by sentence: sound in whole audio tokens, and where its words are in it."""

from __future__ import annotations

import numpy as np

from .sound import OUTPUT_RATE_HZ, TOKEN_SAMPLES
from .voices import Spoken, Voice, WordTime

__all__ = ["Speaker"]

_PAUSE = np.zeros(OUTPUT_RATE_HZ // 8, dtype=np.int16)
_NOTHING = Spoken(np.zeros(0, dtype=np.int16))
_TOKEN_S = TOKEN_SAMPLES / OUTPUT_RATE_HZ


class Speaker:
    """Says one answer. Call `sentence`, then `given` with how much of it was used."""

    def __init__(self, voice: Voice, name: str) -> None:
        self._voice = voice
        self._name = name
        self._chars = 0
        self._tokens = 0
        self._last = _NOTHING
        self._indent = 0

    def sentence(self, text: str) -> bytes:
        """Little-endian pcm16 with a short pause, a whole number of audio tokens long.

        Raises EngineError when the voice fails.
        """
        self._last = _NOTHING
        self._indent = len(text) - len(text.lstrip())
        said = text.strip()
        if not any(character.isalnum() for character in said):
            return b""
        self._last = self._voice.timed(said, self._name)
        samples = np.concatenate([self._last.samples, _PAUSE])
        short = -samples.shape[0] % TOKEN_SAMPLES
        return np.pad(samples, (0, short)).astype("<i2").tobytes()

    def given(self, chars: int, audio_tokens: int) -> tuple[WordTime, ...]:
        """The words of the last sentence as they are in the whole answer.

        `chars` of its text and `audio_tokens` of its sound are what the listener gets; a word that
        the token limit cuts away is left out, and one that it cuts ends where the sound ends.
        """
        offset, start_s = self._chars + self._indent, self._tokens * _TOKEN_S
        end_char, end_s = self._chars + chars, (self._tokens + audio_tokens) * _TOKEN_S
        self._chars, self._tokens = end_char, self._tokens + audio_tokens
        words = (
            (begin + offset, min(end + offset, end_char), from_s + start_s, to_s + start_s)
            for begin, end, from_s, to_s in self._last.words
        )
        return tuple(
            (begin, end, round(from_s, 3), round(min(to_s, end_s), 3))
            for begin, end, from_s, to_s in words
            if begin < end and from_s < end_s
        )
