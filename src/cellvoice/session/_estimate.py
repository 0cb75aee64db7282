"""What a turn is likely to cost, told before it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from cellvoice.protocol import FREE, Prices, Request, Tokens, tokens_cost
from cellvoice.protocol.models import OUTPUT_TOKENS_PER_S

from ._cost import dollars
from ._sent import Sent, sent_in

if TYPE_CHECKING:
    from cellvoice.protocol import PriceList

    from .turn import Turn

__all__ = ["Estimate", "estimate_of"]

# Where neither a limit nor an earlier answer tells how long the next one is.
_ASSUMED_ANSWER_S: Final = 30
_ASSUMED_WRITTEN_TOKENS: Final = 300
# Text tokens of a spoken answer for one of its sound: 32 for 93 and 37 for 125 are recorded.
_WORDS_PER_SOUND: Final = 0.3


@dataclass(frozen=True, slots=True)
class Answer:
    """How long an answer is taken to be, and why."""

    audio_tokens: int
    text_tokens: int
    basis: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a turn is likely to cost, in US dollars; the dollars are None where no price is known.

    Sound is counted by the measured rates: 10 tokens for a second that is sent, 20 for a second of
    an earlier answer that is replayed. Text is estimated at 4 letters a token, and how long the
    answer will be is an assumption, which `answer_basis` tells.
    """

    model: str
    prices: Prices | None
    sent: Sent
    answer_audio_tokens: int
    answer_text_tokens: int
    answer_basis: str

    @property
    def input_tokens(self) -> int:
        """All tokens that are sent."""
        return self.sent.tokens.total

    @property
    def text_tokens(self) -> int:
        """Of those, text."""
        return self.sent.tokens.text

    @property
    def audio_tokens(self) -> int:
        """Of those, sound: of the question, of earlier questions and of earlier answers."""
        return self.sent.tokens.audio

    @property
    def question_audio_tokens(self) -> int:
        """The sound of this question."""
        return self.sent.question.audio

    @property
    def history_tokens(self) -> int:
        """The conversation so far, which is sent again: text and sound."""
        return self.sent.history.total

    @property
    def replayed_audio_tokens(self) -> int:
        """The sound of earlier answers, which the service bills anew with every turn."""
        return self.sent.history.replayed

    @property
    def input_usd(self) -> float | None:
        """What is sent."""
        return self._sent_usd(self.sent.tokens)

    @property
    def history_usd(self) -> float | None:
        """What of that is the conversation so far."""
        return self._sent_usd(self.sent.history)

    @property
    def replayed_audio_usd(self) -> float | None:
        """What of that is the sound of earlier answers."""
        return self._sent_usd(Tokens(audio=self.sent.history.replayed))

    @property
    def answer_usd_per_s(self) -> float | None:
        """A second of the answer's speech, without its words."""
        return tokens_cost(self.prices, audio_out=OUTPUT_TOKENS_PER_S).usd

    @property
    def answer_usd(self) -> float | None:
        """An answer as long as is assumed."""
        return tokens_cost(
            self.prices, audio_out=self.answer_audio_tokens, text_out=self.answer_text_tokens
        ).usd

    @property
    def usd(self) -> float | None:
        """What is sent and the assumed answer together."""
        sent, answer = self.input_usd, self.answer_usd
        return None if sent is None or answer is None else sent + answer

    def _sent_usd(self, tokens: Tokens) -> float | None:
        return tokens_cost(self.prices, text_in=tokens.text, audio_in=tokens.audio).usd

    def _rows(self) -> list[tuple[str, str, str]]:
        """What, how many tokens, how many dollars."""
        history = self.sent.history
        answer = self.answer_audio_tokens + self.answer_text_tokens
        return [
            ("sent", _count(self.input_tokens), _usd(self.input_usd)),
            ("of it history", _count(history.total), _usd(self.history_usd)),
            ("of it answers replayed", _count(history.replayed), _usd(self.replayed_audio_usd)),
            (f"answer, {self.answer_basis}", _count(answer), _usd(self.answer_usd)),
            ("together", _count(self.input_tokens + answer), _usd(self.usd)),
        ]

    def _basis(self) -> str:
        prices = self.prices
        if prices is FREE:
            return "the service is not asked, so it costs nothing"
        if prices is None:
            return f"no price is known for {self.model}; prices= can tell it"
        seen = f", seen {prices.seen}" if prices.seen else ""
        return f"{self.model} at {prices.source or 'your own prices'}{seen}"

    def __repr__(self) -> str:
        if self.usd is None:
            return f"<Estimate {_count(self.input_tokens)} sent; {self._basis()}>"
        return (
            f"<Estimate about {_usd(self.usd)}: {_usd(self.input_usd)} sent, "
            f"{_usd(self.history_usd)} of it history; {_usd(self.answer_usd)} answer "
            f"({self.answer_basis})>"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'>{escape(what)}</td>"
            f"<td style='text-align:right'>{escape(tokens)}</td>"
            f"<td style='text-align:right'>{escape(usd)}</td></tr>"
            for what, tokens, usd in self._rows()
        )
        return f"<table>{rows}</table><p>An estimate: {escape(self._basis())}.</p>"


def estimate_of(request: Request, turns: Iterable[Turn], prices: PriceList) -> Estimate:
    """What a request is likely to cost that follows these turns."""
    turns = tuple(turns)
    answer = _answer(request, turns)
    return Estimate(
        model=request.model,
        prices=prices.for_model(request.model),
        sent=sent_in(request, turns),
        answer_audio_tokens=answer.audio_tokens,
        answer_text_tokens=answer.text_tokens,
        answer_basis=answer.basis,
    )


def _answer(request: Request, turns: tuple[Turn, ...]) -> Answer:
    params = request.params
    n = params.get("n")
    times = n if isinstance(n, int) else 1
    of_each = f" for each of {times}" if times > 1 else ""
    limit = params.get("max_completion_tokens")
    spoken = "audio" in params
    if isinstance(limit, int):
        # All of it as the dearer kind: the limit may be reached by sound alone.
        sound, words = (limit, 0) if spoken else (0, limit)
        basis = f"all of max_completion_tokens={limit}"
    elif spoken:
        seconds, basis = _usual_s(turns)
        sound = round(seconds * OUTPUT_TOKENS_PER_S)
        words = round(sound * _WORDS_PER_SOUND)
    else:
        sound, words = 0, _ASSUMED_WRITTEN_TOKENS
        basis = f"assumed to have {words} tokens"
    return Answer(times * sound, times * words, basis + of_each)


def _usual_s(turns: tuple[Turn, ...]) -> tuple[float, str]:
    """The mean length of the answers so far, or an assumption, and the words for it."""
    lengths_s = [turn.reply.generated_s for turn in turns if turn.done and turn.reply.received_s]
    if not lengths_s:
        return _ASSUMED_ANSWER_S, f"assumed to be {_ASSUMED_ANSWER_S} s"
    mean_s = sum(lengths_s) / len(lengths_s)
    return mean_s, f"assumed to be {mean_s:.1f} s as those before"


def _count(tokens: int) -> str:
    return "1 token" if tokens == 1 else f"{tokens:,} tokens"


def _usd(usd: float | None) -> str:
    return "unknown" if usd is None else dollars(usd)
