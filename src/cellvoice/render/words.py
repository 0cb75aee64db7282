"""The words and numbers that a person reads on a card, one place for HTML and text."""

from __future__ import annotations

from .card import Card, ChoiceForm, State

_STATE_SENTENCES: dict[State, str] = {
    "running": "The reply is still coming.",
    "complete": "",
    "stopped": "Stopped; what had arrived is kept.",
    "cut": "The connection ended before the reply was complete; what had arrived is kept.",
    "length": "The reply ended at its token limit, perhaps in the middle of a word.",
    "filtered": "The service's content filter ended the reply.",
    "refused": "The model declined to answer.",
    "failed": "The turn failed.",
}


def dollars(amount_usd: float) -> str:
    """`$0`, `$0.00042`, `$0.013`, `$1.25`: more digits the smaller it is."""
    if amount_usd == 0:
        return "$0"
    if amount_usd >= 1:
        return f"${amount_usd:,.2f}"
    digits = 3 if amount_usd >= 0.01 else 5
    shown = f"{amount_usd:.{digits}f}".rstrip("0").rstrip(".")
    return f"${shown}" if float(shown) > 0 else "under $0.00001"


def seconds(duration_s: float) -> str:
    """`0.19 s`, `12.3 s`, `2 min 05 s`; what is too short for that is `under 0.01 s`."""
    if 0 < duration_s < 0.005:
        return "under 0.01 s"
    if duration_s < 10:
        return f"{duration_s:.2f} s"
    if duration_s < 60:
        return f"{duration_s:.1f} s"
    whole = round(duration_s)
    return f"{whole // 60} min {whole % 60:02d} s"


def state_sentence(card: Card) -> str:
    """What went otherwise than planned, in one sentence, or ""."""
    error = card["error"]
    if error is not None and error["message"]:
        return error["message"]
    return _STATE_SENTENCES[card["state"]]


def mark_words(card: Card) -> list[str]:
    """Where the turn stands now, a word or two each: stale, one of several versions."""
    marks = ["stale"] if card.get("stale") else []
    versions = card.get("versions")
    if versions is not None:
        marks.append(f"version {versions['k']} of {versions['of']}")
    return marks


def note_sentences(card: Card) -> list[str]:
    """Everything that the user should know besides the answer, a sentence each."""
    told = (state_sentence(card), *card["notices"])
    return [as_sentence(sentence) for sentence in told if sentence]


def as_sentence(text: str) -> str:
    """With a capital and a full stop; errors and notices are written without."""
    ended = text if text.endswith((".", "!", "?", "…", ")")) else f"{text}."
    first_word = ended.partition(" ")[0]
    # "gpt-audio", "api.openai.com" and "max_completion_tokens" are names, spelt as they are.
    is_name = any(mark in first_word[:-1] for mark in "-._=")
    return ended if is_name else ended[:1].upper() + ended[1:]


def cost_words(card: Card) -> str | None:
    """The price of the turn, with its note, or None when nobody knows it."""
    facts = card["facts"]
    if facts["cost_usd"] is None:
        return facts["cost_note"]
    shown = dollars(facts["cost_usd"])
    return f"{shown} ({facts['cost_note']})" if facts["cost_note"] else shown


def fact_pieces(card: Card) -> list[str]:
    """The few facts that are always in sight: first sound, seconds, tokens, cost."""
    facts = card["facts"]
    pieces: list[str] = []
    if facts["first_sound_s"] is not None:
        pieces.append(f"first sound {seconds(facts['first_sound_s'])}")
    if facts["total_s"] is not None:
        pieces.append(f"{seconds(facts['total_s'])} in all")
    if facts["usage"] is not None:
        pieces.append(f"{facts['usage']['total_tokens']:,} tokens")
    cost = cost_words(card)
    if cost is not None:
        pieces.append(cost)
    return pieces


def choice_words(choice: ChoiceForm) -> str:
    """What another reply of the turn says: its words, else what it calls."""
    said = choice["refusal"] or choice["text"]
    calls = ", ".join(choice["calls"])
    if said and calls:
        return f"{said} → {calls}"
    return said or calls or "no words"
