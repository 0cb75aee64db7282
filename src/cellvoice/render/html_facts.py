"""The facts of a turn on the static card: a line that is always in sight, the rest in a fold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from .card import Card, CostPartForm
from .html_tools import times_html
from .markup import FOLD, fold, json_block, name, shown
from .words import cost_words, dollars, fact_pieces, seconds

__all__ = ["facts_html"]

_PARTS: Final = {
    "text_in": "text sent",
    "cached_in": "sent before and kept",
    "audio_in": "sound sent",
    "text_out": "text received",
    "audio_out": "sound received",
}


def facts_html(card: Card) -> str:
    """The fold with every fact and the request."""
    rows = "".join(
        f"<div><b>{label}</b> <bdi>{shown(value)}</bdi></div>" for label, value in _rows(card)
    )
    line = " · ".join(name(piece) for piece in fact_pieces(card)) or "facts"
    why = card.get("logprobs_why")
    if why:
        rows += f"<div><b>probabilities</b> <bdi>{shown(why)}</bdi></div>"
    request = card.get("request")
    asked = fold("request", json_block(request)) if request else ""
    return (
        f'<details style="{FOLD};opacity:0.8"><summary>{line}</summary>'
        f"{rows}{times_html(card)}{asked}</details>"
    )


def _rows(card: Card) -> list[tuple[str, str]]:
    facts, engine = card["facts"], card["engine"]
    rows = [("asked at", card["asked_at"]), ("model", card["model"])]
    if engine is not None and engine["detail"]:
        rows.append(("engine", engine["detail"]))
    if card["voice"]:
        rows.append(("voice", card["voice"]))
    rows += _times(card)
    rows += _tokens(card)
    cost = cost_words(card)
    if cost is not None:
        rows.append(("cost", cost))
    parts = [words for part in facts.get("cost_parts", []) if (words := _part(part))]
    if len(parts) > 1:
        rows.append(("of which", ", ".join(parts)))
    rows += _history(card)
    if "seed" in facts:
        rows.append(("seed", str(facts["seed"])))
    if "fingerprint" in facts:
        rows.append(("fingerprint", facts["fingerprint"]))
    if facts["request_id"]:
        rows.append(("request", facts["request_id"]))
    rows.append(("turn", f"{card['number']}, {card['id']} in {card['session']}"))
    return rows


def _times(card: Card) -> list[tuple[str, str]]:
    facts = card["facts"]
    known = (
        ("request sent", facts.get("upload_s")),
        ("first byte", facts.get("first_byte_s")),
        ("first event", facts["first_event_s"]),
        ("first words", facts.get("first_words_s")),
        ("first sound", facts["first_sound_s"]),
        ("in all", facts["total_s"]),
    )
    return [(label, seconds(moment_s)) for label, moment_s in known if moment_s is not None]


def _tokens(card: Card) -> list[tuple[str, str]]:
    usage = card["facts"]["usage"]
    if usage is None:
        return []
    kept = f", {usage['cached_tokens']:,} of them kept" if usage["cached_tokens"] else ""
    sent = f"{usage['prompt_audio_tokens']:,} sound, {usage['prompt_text_tokens']:,} text{kept}"
    came = f"{usage['completion_audio_tokens']:,} sound, {usage['completion_text_tokens']:,} text"
    return [("tokens sent", sent), ("tokens received", came)]


def _part(part: CostPartForm) -> str:
    usd = part["usd"]
    return "" if not usd else f"{_PARTS.get(part['part'], part['part'])} {dollars(usd)}"


def _history(card: Card) -> list[tuple[str, str]]:
    facts, rows = card["facts"], []
    rungs = facts.get("rungs")
    if rungs:
        rows.append(
            ("answers repeated", f"{rungs['audio']} as sound, {rungs['transcript']} in words")
        )
    until = _moment(facts["expires_at"])
    if until:
        rows.append(("sound kept by the service until", until))
    return rows


def _moment(unix_s: int | None) -> str:
    if unix_s is None:
        return ""
    try:
        return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return ""  # some server's idea of a time
