"""A turn as plain text: what was said, what was called, the answer, and one line of facts."""

from __future__ import annotations

import json
from typing import Final

from .card import Card, SoundInput, TextInput, ToolCallForm
from .markup import visible
from .words import choice_words, fact_pieces, mark_words, note_sentences, seconds

# As on the static card: nobody reads more of it in a cell, and turn.text has it all.
_MOST_LETTERS: Final = 20_000
_SHORT_LETTERS: Final = 160
# They change the direction of all that follows, also of the next line of a terminal. In HTML each
# text is a box of its own, which they can't leave.
_DIRECTIONS: Final = {
    code: f"⟨U+{code:04X}⟩" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def text(card: Card) -> str:
    """What was said, what was answered, and the facts, for a console or a file without HTML."""
    lines = [f"You: {' '.join(_part(part) for part in card['input']) or '…'}"]
    lines += [_call(call) for call in card.get("tool_calls", [])]
    answer = card["reply"]["refusal"] or card["reply"]["text"]
    if answer:
        lines.append(f"{_plain(card['voice'] or card['model'])}: {_plain(answer)}")
    lines += _other_choices(card)
    if card.get("parsed") is not None:
        lines.append(f"Object: {_plain(json.dumps(card['parsed'], ensure_ascii=False))}")
    lines += [_plain(sentence) for sentence in note_sentences(card)]
    badge = [card["engine"]["badge"]] if card["engine"] else []
    pieces = [*badge, *mark_words(card), *fact_pieces(card), *_sureness(card)]
    if pieces:
        lines.append(f"[{_plain(' · '.join(pieces))}]")
    sound = card["reply"]["sound"]
    if sound is not None and sound["href"] is not None:
        lines.append(f"Sound: {_plain(sound['href'])}")
    return "\n".join(lines)


def _part(part: TextInput | SoundInput) -> str:
    if part["kind"] == "text":
        return _plain(part["text"])
    heard = f", heard “{_plain(part['heard'])}”" if part["heard"] else ""
    return f"[sound {seconds(part['duration_s'])}{heard}]"


def _call(call: ToolCallForm) -> str:
    """`Tool temperature({"city": "Zürich"}) → 18, 0.58 s`."""
    arguments = call["arguments_text"]
    if call["arguments"] is not None:
        arguments = json.dumps(call["arguments"], ensure_ascii=False)
    told = call["error"] or call["result"] or ""
    said = f" → {_short(told)}" if told else ""
    state = "" if call["state"] == "done" else f", {call['state']}"
    started_s, ended_s = call["started_s"], call["ended_s"]
    took = ""
    if started_s is not None and ended_s is not None:
        took = f", {seconds(max(ended_s - started_s, 0.0))}"
    return f"Tool {_short(call['name'])}({_short(arguments)}){said}{state}{took}"


def _other_choices(card: Card) -> list[str]:
    """`Choice 2: …`, counted as in `turn.choices`, with the turn's own as the first."""
    others = card.get("other_choices")
    if others is None:
        return []
    lines = [f"Choice {one['index'] + 1}: {_short(choice_words(one))}" for one in others["choices"]]
    return [*lines, f"{others['more']} more choices"] if others["more"] else lines


def _sureness(card: Card) -> list[str]:
    logprobs = card.get("logprobs")
    if not logprobs or logprobs.get("perplexity") is None:
        return []
    return [f"perplexity {logprobs['perplexity']:.2f}"]


def _short(words: str) -> str:
    line = " ".join(_plain(words[: 2 * _SHORT_LETTERS]).split())
    return line if len(line) <= _SHORT_LETTERS else f"{line[: _SHORT_LETTERS - 1]}…"


def _plain(words: str) -> str:
    if len(words) > _MOST_LETTERS:
        words = f"{words[:_MOST_LETTERS]}… ({len(words) - _MOST_LETTERS:,} more letters)"
    return visible(words).translate(_DIRECTIONS)
