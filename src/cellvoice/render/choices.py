"""The other replies of a turn that was asked with n > 1, in the vendor form."""

from __future__ import annotations

import json
from typing import Final

from cellvoice.protocol import Reply

from .card import ChoiceForm, ChoicesForm, ChoiceSound
from .clipped import clipped_text

__all__ = ["choices_form"]

# Half as many bars as a question's: these are small, and there may be a dozen.
_PEAK_COUNT: Final = 32
_MOST_CALLS: Final = 8
# What a choice takes besides its words.
_AROUND_BYTES: Final = 120
_FEWEST_LETTERS: Final = 80


def choices_form(reply: Reply, max_bytes: int | None) -> ChoicesForm | None:
    """The others in their order, the first words of each if there is no room for all; or None."""
    others = reply.choices[1:]
    if not others:
        return None
    letters = None
    if max_bytes is not None:
        # A letter has up to four bytes; most have one.
        letters = max(_FEWEST_LETTERS, max_bytes // len(others) - _AROUND_BYTES)
    kept: list[ChoiceForm] = []
    size = 0
    for index, other in enumerate(others, 1):
        form = _choice(index, other, letters)
        size += len(json.dumps(form, ensure_ascii=False).encode("utf-8", "replace"))
        if max_bytes is not None and size > max_bytes and kept:
            break
        kept.append(form)
    return {"choices": kept, "more": len(others) - len(kept)}


def _choice(index: int, reply: Reply, letters: int | None) -> ChoiceForm:
    calls = [f"{call.name}({call.arguments})" for call in reply.tool_calls[:_MOST_CALLS]]
    return {
        "index": index,
        "text": clipped_text(reply.text, letters),
        "refusal": clipped_text(reply.refusal, letters) or None,
        "finish": reply.finish_reason,
        "sound": _sound(reply),
        "calls": [clipped_text(call, letters) for call in calls],
    }


def _sound(reply: Reply) -> ChoiceSound | None:
    clip = reply.clip
    if clip is None:
        return None
    peaks = [round(peak, 2) for peak in clip.peaks(_PEAK_COUNT)]
    return {"duration_s": round(clip.duration_s, 3), "peaks": peaks}
