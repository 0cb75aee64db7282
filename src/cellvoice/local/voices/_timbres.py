"""Which espeak-ng voice stands in for which of the service's names."""

from __future__ import annotations

__all__ = ["ESPEAK_VOICES", "WORDS_PER_MINUTE"]

WORDS_PER_MINUTE = 160

ESPEAK_VOICES = {
    "alloy": "en-us",
    "ash": "en-us+m3",
    "ballad": "gmw/en+m5",  # plain "en-gb" is refused by the library's voice search
    "cedar": "en-us+m4",
    "coral": "en-us+f2",
    "echo": "en-us+m1",
    "fable": "en-gb-x-rp",
    "marin": "en-us+f3",
    "nova": "en-us+f4",
    "onyx": "en-us+m7",
    "sage": "en-gb-scotland+f1",
    "shimmer": "en-us+f5",
    "verse": "en-us+m2",
}
