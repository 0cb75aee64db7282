"""The other replies of a turn (n > 1) on the static card."""

from __future__ import annotations

from .card import Card, ChoiceForm
from .markup import fold, shown
from .words import choice_words, seconds

__all__ = ["choices_html"]


def choices_html(card: Card) -> str:
    """A fold with all that the form has of them, or "" where there are none."""
    others = card.get("other_choices")
    if others is None:
        return ""
    count = len(others["choices"]) + others["more"]
    more = f"<div>{others['more']} more: turn.choices has them all</div>" if others["more"] else ""
    title = "1 other choice" if count == 1 else f"{count} other choices"
    return fold(title, "".join(map(_choice, others["choices"])) + more)


def _choice(choice: ChoiceForm) -> str:
    sound = choice["sound"]
    facts = [f"choice {choice['index'] + 1}"]
    if sound is not None:
        facts.append(f"{seconds(sound['duration_s'])} of speech")
    if choice["finish"] not in (None, "stop", "tool_calls"):
        facts.append(f"ended by {shown(str(choice['finish']))}")
    return (
        f'<div style="margin:6px 0 0 14px"><div style="opacity:0.65">{" · ".join(facts)}</div>'
        '<div dir="auto" style="white-space:pre-wrap;overflow-wrap:break-word">'
        f"{shown(choice_words(choice))}</div></div>"
    )
