"""When the words of a reply are spoken, told while it still comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .words import WORD, WordTime, letters_said, read_time

if TYPE_CHECKING:
    from .fold import Reply

__all__ = ["LiveWords"]

# Fourteen letters a second: a calm speaker of English, with the pauses between sentences.
_LETTER_S: Final = 0.07


class LiveWords:
    """The words of one reply as they come: each once, in order, and never taken back.

    The engine's own times, else an estimate: a word begins where the one before ends, and not
    before as much speech was made as there was when it came. `word_times` knows better once the
    reply is whole, because it has heard the pauses. Costs next to nothing for each piece of words.
    """

    def __init__(self) -> None:
        self._told = 0
        self._letters = 0
        self._until_s = 0.0
        self._piece = 0

    def more(self, reply: Reply) -> tuple[list[WordTime], bool]:
        """Words that are new since the last call, and whether their times are estimated.

        Call it after each piece of words and each word of the engine. A word that may still grow
        waits for the next piece.
        """
        if not reply.transcript or reply.content:
            return [], False
        if reply.engine is not None:
            return self._from(reply.engine.get("words")), False
        return self._guessed(reply), True

    def _from(self, words: object) -> list[WordTime]:
        made: list[WordTime] = []
        for word in words[self._told :] if isinstance(words, list) else ():
            read = read_time(word)
            if read is None or not (
                self._letters <= read[0] < read[1] and self._until_s <= read[2]
            ):
                break
            made.append(read)
            self._letters, self._until_s = read[1], read[2]
        self._told += len(made)
        return made

    def _guessed(self, reply: Reply) -> list[WordTime]:
        made: list[WordTime] = []
        pieces = reply.word_pieces
        for found in WORD.finditer(reply.transcript, self._letters):
            if found.end() == len(reply.transcript):
                break
            while self._piece < len(pieces) - 1 and pieces[self._piece][0] <= found.start():
                self._piece += 1
            start_s = max(self._until_s, pieces[self._piece][1])
            self._letters = found.end()
            self._until_s = start_s + _LETTER_S * letters_said(found.group())
            made.append((*found.span(), start_s, self._until_s))
        return made
