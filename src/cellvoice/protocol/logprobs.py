"""Token probabilities as they came: kept as JSON, decoded when somebody asks for them.

With 20 alternatives a token, the probabilities are nearly all of a stream's bytes, and most of
those who ask for them look at a few. A row is the service's own object: `token`, `logprob`, `bytes`
(UTF-8, or null) and `top_logprobs`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cellvoice.errors import UsageError

from ._json import NotJSON, as_list, as_mapping, decode
from ._scored import NOT_RANKED, ScoredToken, bytes_of, choice_probabilities, logprob_of, scored

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReplyLogprobs", "ScoredToken", "joined_text", "rows_of"]

Row = Mapping[str, Any]


def rows_of(raw: bytes, name: str) -> list[Row]:
    """The rows under `content` or `refusal` of one `logprobs` object; nonsense counts as none."""
    try:
        found = as_mapping(decode(raw))
    except NotJSON:
        return []
    return [row for row in as_list(found.get(name)) if isinstance(row, dict)]


def joined_text(rows: Iterable[Row]) -> str:
    """The text that the tokens make together.

    A letter outside ASCII may be spread over several tokens, whose own texts are then no letters:
    the bytes are joined first and decoded once. A token without bytes counts by its text.
    """
    return b"".join(map(bytes_of, rows)).decode("utf-8", "replace")


class ReplyLogprobs:
    """The probabilities of one reply's tokens; they are decoded on first use.

    `content` and `refusal` are the service's own rows. `tokens` and what is made of it are those of
    the answer, or of the refusal if that is all there is, with the parts of a character joined.
    """

    __slots__ = ("_content", "_decoded", "_pieces", "_refusal", "_scored")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._decoded = 0
        self._content: list[Row] = []
        self._refusal: list[Row] = []
        # How many rows these were made of, and the tokens.
        self._scored: tuple[int, tuple[ScoredToken, ...]] = (0, ())

    def append(self, raw: bytes) -> None:
        """Add the JSON of one `logprobs` object."""
        self._pieces.append(raw)

    @property
    def raw(self) -> tuple[bytes, ...]:
        """The JSON of the `logprobs` objects as they came, to be kept and appended again."""
        return tuple(self._pieces)

    @property
    def content(self) -> list[Row]:
        """A row for each token of the text so far, as the service wrote it."""
        self._decode()
        return self._content

    @property
    def refusal(self) -> list[Row]:
        """A row for each token of the refusal so far."""
        self._decode()
        return self._refusal

    @property
    def text(self) -> str:
        """The text that the rows of `content` make together."""
        return joined_text(self.content)

    @property
    def tokens(self) -> tuple[ScoredToken, ...]:
        """The tokens so far, in order, the parts of one character joined."""
        rows = self.content or self.refusal
        if self._scored[0] != len(rows):
            self._scored = (len(rows), tuple(scored(rows)))
        return self._scored[1]

    @property
    def mean_logprob(self) -> float | None:
        """The mean of the tokens' log probabilities, or None if there are none.

        Tokens that the service did not rank (it writes −9999 for them) are left out.
        """
        known = [logprob_of(row) for row in self.content or self.refusal]
        known = [logprob for logprob in known if logprob > NOT_RANKED]
        return math.fsum(known) / len(known) if known else None

    @property
    def perplexity(self) -> float | None:
        """How many tokens the model chose from, as it were: 1 when it was sure of each."""
        mean = self.mean_logprob
        return None if mean is None else math.exp(-mean)

    def choice_probabilities(
        self, choices: Sequence[str], *, normalized: bool = False
    ) -> dict[str, float]:
        """How likely each of some answers was: `choice_probabilities(["yes", "no"])`.

        At the first token that begins one of them, by the alternatives that were asked for
        (`top_logprobs=`); capitals, spaces and punctuation around it do not count. What the service
        did not name has 0, so the sum may be below 1 unless `normalized`. Raises UsageError for
        choices that are no different words, and when there are no probabilities.
        """
        return choice_probabilities(self.tokens, choices, normalized)

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each token: position, token, probability, logprob, entropy, alternatives.

        `entropy` is in nats, over what was given with the rest counted as one more; `alternatives`
        has the probability of each by its text. Raises UsageError where pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise UsageError(
                "to_dataframe() needs pandas, which is not installed here; run pip install pandas"
            ) from error
        tokens = self.tokens
        return pandas.DataFrame(
            {
                "position": range(len(tokens)),
                "token": [one.text for one in tokens],
                "probability": [one.probability for one in tokens],
                "logprob": [one.logprob for one in tokens],
                "entropy": [one.entropy for one in tokens],
                "alternatives": [
                    {text: math.exp(logprob) for text, logprob in one.alternatives}
                    for one in tokens
                ],
            }
        )

    def _decode(self) -> None:
        pieces = self._pieces[self._decoded :]
        self._decoded += len(pieces)
        for raw in pieces:
            self._content += rows_of(raw, "content")
            self._refusal += rows_of(raw, "refusal")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ReplyLogprobs):
            return NotImplemented
        return (self.content, self.refusal) == (other.content, other.refusal)

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return f"ReplyLogprobs({len(self.content)} tokens, {len(self.refusal)} of a refusal)"
