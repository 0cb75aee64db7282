"""Drawn tokens into pieces of text that can be sent: whole letters, nothing of a stop string."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .sampler import Drawn
from .stops import StopText
from .tokenizer import Tokenizer

__all__ = ["Piece", "pieces_of", "sentences_of"]

_SENTENCE_END = re.compile(r"[.!?]\s*$")


@dataclass(frozen=True, slots=True)
class Piece:
    """Text, and the tokens that it was drawn as; mostly one."""

    text: str
    drawn: tuple[Drawn, ...]


def pieces_of(
    drawn: Iterable[Drawn], tokenizer: Tokenizer, stops: tuple[str, ...]
) -> Iterator[Piece]:
    """The text piece by piece, up to the first of `stops`, which is not given.

    A letter of several byte tokens comes whole; what may begin a stop string waits until it does
    not. A token of which a stop string cuts off the end still counts as said.
    """
    stop = StopText(stops)
    letter: list[Drawn] = []
    # Tokens with the letters that each completes; None stands for one that was given in part.
    waiting: list[tuple[Drawn | None, int]] = []
    for each in drawn:
        letter.append(each)
        text = tokenizer.decode([one.token for one in letter])
        if text.endswith("\ufffd") and len(letter) < 4:
            continue
        waiting += [(one, 0) for one in letter[:-1]] + [(letter[-1], len(text))]
        letter = []
        said = stop.feed(text)
        if said:
            yield Piece(said, _taken(waiting, len(said)))
        if stop.reached:
            return
    said = stop.finish() + tokenizer.decode([one.token for one in letter])
    if said:
        yield Piece(said, (*(one for one, _ in waiting if one is not None), *letter))


def _taken(waiting: list[tuple[Drawn | None, int]], letters: int) -> tuple[Drawn, ...]:
    """Take from the front the tokens that stand for so many letters; the last may be cut."""
    taken: list[Drawn] = []
    while waiting and letters > 0:
        each, length = waiting.pop(0)
        if each is not None:
            taken.append(each)
        letters -= length
    if letters < 0:
        waiting.insert(0, (None, -letters))
    return tuple(taken)


def sentences_of(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """The pieces of one sentence after the other, so that each can be spoken when it is known."""
    sentence: list[Piece] = []
    for piece in pieces:
        sentence.append(piece)
        if _SENTENCE_END.search(piece.text):
            yield sentence
            sentence = []
    if sentence:
        yield sentence
