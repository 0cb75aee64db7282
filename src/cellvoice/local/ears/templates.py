"""The corpus' questions as the formant voice would say them, without making the sound.

A filter bank that hears that voice sees its resonances and its noise. Both are known for every 20
ms before any sound is made, and have no pitch that would get into the way: 340 questions in 0.3 s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellvoice.local.voices.formant import band_powers

from .features import HOP_S, MEL_HZ, cepstra, trimmed

__all__ = ["Templates", "make_templates"]

# A man's throat and a woman's: every speaker is near enough to one of them.
_THROATS = (1.0, 1.16)


@dataclass(frozen=True, slots=True)
class Templates:
    """`frames` is (templates, longest, features), padded with zeros; `lengths` counts real rows.

    Template i says question i modulo the number of questions.
    """

    frames: NDArray[np.float32]
    lengths: NDArray[np.int64]

    def all_frames(self) -> NDArray[np.float32]:
        """Every real row, whatever template it is from."""
        inside = np.arange(self.frames.shape[1])[None, :] < self.lengths[:, None]
        return self.frames[inside]


def make_templates(texts: Sequence[str]) -> Templates:
    """One template for each throat and text."""
    rows = [
        cepstra(trimmed(band_powers(text, shortness, MEL_HZ, HOP_S)))
        for shortness in _THROATS
        for text in texts
    ]
    lengths = np.array([row.shape[0] for row in rows])
    frames = np.zeros((len(rows), int(lengths.max()), rows[0].shape[1]), dtype=np.float32)
    for at, row in enumerate(rows):
        frames[at, : row.shape[0]] = row
    return Templates(frames, lengths)
