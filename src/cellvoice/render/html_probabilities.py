"""Token probabilities on the static card: a heat map over the text, and a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from cellvoice.protocol import ScoredToken

from .card import Card, LogprobsForm, TokenForm
from .markup import fold, shown

__all__ = ["probabilities_html"]

_MOST_TOKENS: Final = 200
_ALTERNATIVES: Final = 4
_LONGEST_TOKEN: Final = 40
# A token above this was no choice; marking it would colour the whole text.
_SURE: Final = 0.95
_FAINTEST, _STRONGEST = 0.08, 0.6
_HEAT: Final = (
    "margin:4px 0;font-size:14px;line-height:1.5;white-space:pre-wrap;overflow-wrap:break-word"
)
_HEADS: Final = ("", "token", "probability", "log p", "entropy", "instead")


def probabilities_html(card: Card) -> str:
    """A fold with the first 200 tokens, or "" where the card has none."""
    form = card.get("logprobs")
    if not form or not form["tokens"]:
        return ""
    first = form["tokens"][:_MOST_TOKENS]
    left_out = len(form["tokens"]) - len(first) + form["more"]
    note = ""
    if left_out:
        note = f"<div>{left_out:,} more tokens are not shown here; turn.logprobs has them.</div>"
    return fold(_summary(form), _heat(first) + _table(first) + note)


def _summary(form: LogprobsForm) -> str:
    count = len(form["tokens"]) + form["more"]
    words = f"probabilities of {count:,} tokens"
    perplexity, mean = form.get("perplexity"), form.get("mean")
    if perplexity is not None and mean is not None:
        words += f" · perplexity {perplexity:.2f} · mean log probability {mean:.2f}"
    return words


def _heat(tokens: Sequence[TokenForm]) -> str:
    marked = "".join(_marked(scored(token)) for token in tokens)
    legend = '<div style="opacity:0.75">The darker, the less sure the model was.</div>'
    return f'<div dir="auto" style="{_HEAT}">{marked}</div>{legend}'


def _marked(token: ScoredToken) -> str:
    p = token.probability
    if p >= _SURE:
        return shown(token.text)
    strength = max(_FAINTEST, (1 - p) * _STRONGEST)
    style = f"background-color:rgba(196,137,27,{strength:.2f})"
    return f'<span style="{style}" title="{p:.0%}">{shown(token.text)}</span>'


def _table(tokens: Sequence[TokenForm]) -> str:
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    rows = "".join(_row(place, scored(token)) for place, token in enumerate(tokens))
    scrolls = "max-height:320px;overflow:auto"
    return f'<div style="{scrolls}"><table cellpadding="4"><tr>{heads}</tr>{rows}</table></div>'


def _row(place: int, token: ScoredToken) -> str:
    others = [one for one in token.alternatives if one[0] != token.text][:_ALTERNATIVES]
    instead = ", ".join(
        f"<bdi>{shown(_quoted(text))}</bdi> {math.exp(min(logprob, 0.0)):.3f}"
        for text, logprob in others
    )
    return (
        f"<tr><td>{place}</td><td><bdi>{shown(_quoted(token.text))}</bdi></td>"
        f"<td>{token.probability:.4f}</td><td>{token.logprob:.3f}</td>"
        f"<td>{token.entropy:.3f}</td><td>{instead}</td></tr>"
    )


def _quoted(text: str) -> str:
    """A token in a cell: its spaces and line ends are to be seen; a very long one is cut."""
    text = text if len(text) <= _LONGEST_TOKEN else f"{text[:_LONGEST_TOKEN]}…"
    return text.replace(" ", "␣").replace("\n", "↵") or "∅"


def scored(token: TokenForm) -> ScoredToken:
    """A row of the form as a value."""
    text, _, logprob, alternatives = token[:4]
    rows: list[Any] = alternatives
    return ScoredToken(text, logprob, tuple((one[0], one[2]) for one in rows))
