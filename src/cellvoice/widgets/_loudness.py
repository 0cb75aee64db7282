"""What is wrong with a recording, in one sentence."""

from __future__ import annotations

import numpy as np

from cellvoice.audio import Clip

_SHORTEST_S = 0.25
# Far below any speech into an open microphone, above the noise of a muted one.
_QUIETEST_PEAK_DBFS = -50.0
_FULL_SCALE = 32_700
# A few samples at full scale are not heard.
_CLIPPED_SHARE = 0.001


def warning(clip: Clip) -> str:
    """A sentence about a recording that is too short, silent or clipped; "" when it is fine."""
    if clip.duration_s < _SHORTEST_S:
        return f"Only {clip.duration_s:.2f} s were recorded: hold the button while you speak."
    if clip.peak_dbfs < _QUIETEST_PEAK_DBFS:
        return "Nothing was heard: check that the right microphone is chosen and not muted."
    pcm = np.frombuffer(clip.to_pcm16(), "<i2").astype(np.int32)
    share = float(np.mean(np.abs(pcm) >= _FULL_SCALE))
    if share > _CLIPPED_SHARE:
        return (
            f"The recording is clipped ({share:.1%} of it is at full scale): "
            "speak from further away or lower the microphone's level."
        )
    return ""
