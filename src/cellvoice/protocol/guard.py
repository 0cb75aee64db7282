"""A guard against endless noise: speech that goes on long after its words.

At low temperatures an earlier model of the service has answered with noise up to its token limit,
and a bill for all of it (https://community.openai.com, topic 1081960). The transcript runs ahead of
its sound, so sound that goes on without new words for long is no speech.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from cellvoice.errors import UsageError

from .fold import Reply
from .models import OUTPUT_TOKENS_PER_S, facts, usd_per_second
from .prices import PriceList

__all__ = ["NoiseGuard"]

# Unhurried speech has 12 to 15 letters a second; someone who counts slowly has 3.
_S_PER_LETTER = 0.35
# A sign of Chinese, Japanese or Korean is a syllable or two.
_LETTERS_PER_WIDE_SIGN = 3


@dataclass(frozen=True, slots=True)
class NoiseGuard:
    """Ends a reply whose sound is `wordless_s` seconds longer than its words can take.

    Sounds that were asked for, such as rain or music, have no words either: give it more time, or
    do without it. Raises UsageError for a time that is no number above 0.
    """

    wordless_s: float = 30.0

    def __post_init__(self) -> None:
        given: object = self.wordless_s
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not given > 0:
            raise UsageError(
                f"guard={given!r}: expected True, False, or seconds of sound without words"
            )

    @classmethod
    def of(cls, choice: object) -> NoiseGuard | None:
        """The guard that `guard=` asks for: True (or None) the usual one, seconds, False none."""
        if isinstance(choice, cls):
            return choice
        if choice is None or choice is True:
            return cls()
        return None if choice is False else cls(choice)  # type: ignore[arg-type]  # it checks

    def trips(self, reply: Reply, model: str) -> bool:
        """Whether this reply, as far as it has come, is to be cut.

        Only of models that are known to send a transcript: other servers may send none at all.
        """
        generated_s = reply.generated_s
        if generated_s <= self.wordless_s:
            return False
        known = facts(reply.model or model)
        if known is None or not known.needs_audio:
            return False
        return generated_s > self.wordless_s + _S_PER_LETTER * _letters(reply.text)

    def sentence(
        self,
        reply: Reply,
        model: str,
        limit_tokens: int | None,
        prices: PriceList | None = None,
    ) -> str:
        """What was done and how much it saved.

        `limit_tokens` is the request's own limit, `prices` those that hold, else the published.
        """
        known = facts(reply.model or model)
        limit = limit_tokens or (known.max_output_tokens if known else None)
        saved = ""
        if limit is not None:
            saved_s = max(limit / OUTPUT_TOKENS_PER_S - reply.generated_s, 0.0)
            price = usd_per_second(reply.model or model, prices)
            money = f", ${saved_s * price.output_usd:.2f}," if price else ""
            saved = f"; up to {saved_s:.0f} s more{money} were not generated"
        return (
            f"after {reply.generated_s:.0f} s the sound had gone on for long without new words, as "
            f"endless noise does, so the reply was cut{saved}; guard=False lets such replies go on"
        )


def _letters(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + (_LETTERS_PER_WIDE_SIGN - 1) * wide
