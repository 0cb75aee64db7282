"""Rows of token probabilities as values: characters made whole, probabilities, entropy, choices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cellvoice.errors import UsageError

__all__ = ["ScoredToken", "bytes_of", "choice_probabilities", "scored"]

Row = Mapping[str, Any]

# What the service writes for a token that is not among the likeliest: no probability at all.
NOT_RANKED: Final = -9_999.0
_LONGEST_CHARACTER_BYTES: Final = 4
_AROUND_A_WORD: Final = " \t\r\n\"'“”‘’.,:;!?()[]{}*"


@dataclass(frozen=True, slots=True)
class ScoredToken:
    """A token of the answer, or the few that make one character together.

    `logprob` is the natural logarithm of its probability; joined tokens have the sum. The
    `alternatives` are texts with theirs, likeliest first, the token itself among them where the
    service names it; of joined tokens those of the first. `count` is how many were joined, and
    `utf8` is given where `text` does not tell the token's bytes.
    """

    text: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...] = ()
    count: int = 1
    utf8: bytes | None = None

    @property
    def probability(self) -> float:
        """0…1."""
        return math.exp(min(self.logprob, 0.0))

    @property
    def entropy(self) -> float:
        """How open the choice was, in nats: 0 when it was certain.

        Over the alternatives that are given; the probability that they leave counts as one more,
        so it is the least that the entropy can be.
        """
        known = [math.exp(min(logprob, 0.0)) for _, logprob in self.alternatives]
        if all(text != self.text for text, _ in self.alternatives):
            known.append(self.probability)
        known.append(max(1.0 - sum(known), 0.0))
        return abs(sum(p * math.log(p) for p in known if p > 0.0))


def bytes_of(row: Row) -> bytes:
    """The token's UTF-8, perhaps a part of a character; without bytes, that of its text."""
    found = row.get("bytes")
    if isinstance(found, list):
        try:
            return bytes(found)
        except (TypeError, ValueError):
            pass  # no list of bytes: the token's text is what is left
    token = row.get("token")
    return token.encode("utf-8", "replace") if isinstance(token, str) else b""


def logprob_of(row: Row) -> float:
    """The row's log probability, never above 0; what is no number counts as not ranked."""
    found = row.get("logprob")
    if isinstance(found, bool) or not isinstance(found, (int, float)) or math.isnan(found):
        return NOT_RANKED
    return min(max(float(found), NOT_RANKED), 0.0)


def scored(rows: Iterable[Row]) -> list[ScoredToken]:
    """The tokens of some rows, in order; parts of one character are joined."""
    made: list[ScoredToken] = []
    open_rows: list[Row] = []
    open_bytes = b""
    for row in rows:
        found = bytes_of(row)
        if not open_rows and (text := _whole(found)) is not None:
            made.append(ScoredToken(text, logprob_of(row), _alternatives(row)))
            continue
        open_rows.append(row)
        open_bytes += found
        whole = _whole(open_bytes)
        if whole is not None:
            made.append(_joined(open_rows, whole))
        elif _can_still_end(open_bytes):
            continue
        else:
            made += map(_alone, open_rows)
        open_rows, open_bytes = [], b""
    made += map(_alone, open_rows)
    return made


def _whole(found: bytes) -> str | None:
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _can_still_end(found: bytes) -> bool:
    """Whether these bytes are whole characters and the beginning of one more."""
    try:
        found.decode("utf-8")
    except UnicodeDecodeError as error:
        at_the_end = error.end == len(found) and error.reason == "unexpected end of data"
        return at_the_end and len(found) - error.start < _LONGEST_CHARACTER_BYTES
    return False


def _joined(rows: Sequence[Row], text: str) -> ScoredToken:
    logprob = max(sum(map(logprob_of, rows)), NOT_RANKED)
    first = rows[0].get("token")
    others = (one for one in _alternatives(rows[0]) if one[0] != first)
    ranked = sorted([*others, (text, logprob)], key=_by_likelihood)
    return ScoredToken(text, logprob, tuple(ranked), len(rows))


def _alone(row: Row) -> ScoredToken:
    """A token beside a part of a character that nothing completes, or such a part."""
    token, found = row.get("token"), bytes_of(row)
    text = _whole(found)
    if text is not None:
        return ScoredToken(text, logprob_of(row), _alternatives(row))
    shown = _shown(token if isinstance(token, str) else "", row)
    return ScoredToken(shown, logprob_of(row), _alternatives(row), 1, found)


def _alternatives(row: Row) -> tuple[tuple[str, float], ...]:
    found = row.get("top_logprobs")
    if not isinstance(found, list):
        return ()
    made = [
        (_shown(token, one) if "\ufffd" in token else token, logprob_of(one))
        for one in found
        if isinstance(one, dict) and isinstance(token := one.get("token"), str)
    ]
    return tuple(sorted(made, key=_by_likelihood))


def _shown(token: str, row: Row) -> str:
    """The text of a part of a character, told apart from others of its kind by its bytes."""
    found = bytes_of(row)
    return found.decode("utf-8", "backslashreplace") if _whole(found) is None else token


def _by_likelihood(one: tuple[str, float]) -> float:
    return -one[1]


def choice_probabilities(
    tokens: Sequence[ScoredToken], choices: Sequence[str], normalized: bool
) -> dict[str, float]:
    """As `ReplyLogprobs.choice_probabilities`, over the tokens of one answer."""
    names = _checked_choices(choices)
    if not tokens:
        raise UsageError("the answer has no token probabilities; ask with logprobs=True")
    keys = [_plain(name) for name in names]
    token = _where_it_was_chosen(tokens, keys)
    found = dict.fromkeys(names, 0.0)
    given = dict(token.alternatives)
    given.setdefault(token.text, token.logprob)
    for text, logprob in given.items():
        chosen = _choice_begun(_plain(text), keys)
        if chosen is not None:
            found[names[chosen]] += math.exp(logprob)
    total = sum(found.values())
    return {name: p / total for name, p in found.items()} if normalized and total else found


def _checked_choices(choices: Sequence[str]) -> list[str]:
    names: list[Any] = list(choices)
    good = not isinstance(choices, str) and all(isinstance(n, str) and _plain(n) for n in names)
    if not (good and names and len({_plain(name) for name in names}) == len(names)):
        raise UsageError(
            f"choices={choices!r}: expected different words such as ['yes', 'no']; "
            "capitals and punctuation around them do not count"
        )
    return names


def _plain(text: str) -> str:
    return text.strip(_AROUND_A_WORD).casefold()


def _where_it_was_chosen(tokens: Sequence[ScoredToken], keys: Sequence[str]) -> ScoredToken:
    """The first token that begins one of the choices, also inside JSON; else the first word."""
    begins = (one for one in tokens if _choice_begun(_plain(one.text), keys) is not None)
    words = (one for one in tokens if _plain(one.text))
    return next(begins, None) or next(words, tokens[0])


def _choice_begun(text: str, keys: Sequence[str]) -> int | None:
    """Which choice a token says or begins; None where it is none, or where it may be several."""
    if not text:
        return None
    if text in keys:
        return keys.index(text)
    begun = [place for place, key in enumerate(keys) if key.startswith(text)]
    return begun[0] if len(begun) == 1 else None
