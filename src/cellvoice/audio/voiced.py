"""Which stretches of a sound have a voice in them: by loudness alone, frame by frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ._convert import to_float32

if TYPE_CHECKING:
    import numpy.typing as npt

    from .clip import Clip

__all__ = ["voiced_frames"]

# Below the loudest frame by so much is a pause; breath and room are further down in clean speech.
_PAUSE_DB: Final = 35.0


def voiced_frames(clip: Clip, frame_s: float = 0.02) -> npt.NDArray[np.bool_]:
    """For each `frame_s` of the clip whether it is loud enough to be speech; shape `(frames,)`.

    All False for digital silence.
    """
    window = max(round(frame_s * clip.sample_rate_hz), 1)
    squares = np.square(to_float32(clip.samples), dtype=np.float64)
    starts = np.arange(0, len(squares), window)
    power = np.add.reduceat(squares, starts) / np.diff(np.append(starts, len(squares)))
    threshold = float(power.max()) * 10 ** (-_PAUSE_DB / 10)
    voiced: npt.NDArray[np.bool_] = power > threshold
    return voiced
