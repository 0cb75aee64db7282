"""A turn as plain text: the transcript and one line of facts."""

from __future__ import annotations

from .card import Card, SoundInput, TextInput
from .words import fact_pieces, mark_words, note_sentences, seconds


def text(card: Card) -> str:
    """What was said, what was answered, and the facts, for a console or a file without HTML."""
    lines = [f"You: {' '.join(_part(part) for part in card['input']) or '…'}"]
    answer = card["reply"]["refusal"] or card["reply"]["text"]
    if answer:
        lines.append(f"{card['voice'] or card['model']}: {answer}")
    lines += note_sentences(card)
    badge = [card["engine"]["badge"]] if card["engine"] else []
    pieces = [*badge, *mark_words(card), *fact_pieces(card)]
    if pieces:
        lines.append(f"[{' · '.join(pieces)}]")
    sound = card["reply"]["sound"]
    if sound is not None and sound["href"] is not None:
        lines.append(f"Sound: {sound['href']}")
    return "\n".join(lines)


def _part(part: TextInput | SoundInput) -> str:
    if part["kind"] == "text":
        return part["text"]
    heard = f", heard “{part['heard']}”" if part["heard"] else ""
    return f"[sound {seconds(part['duration_s'])}{heard}]"
