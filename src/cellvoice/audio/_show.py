"""How a clip shows itself in a notebook: script-free HTML that an untrusted page keeps."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ._kinds import MIME_TYPES
from .waveform import waveform_data_uri

if TYPE_CHECKING:
    from .clip import Clip

_BARS = 96
_WIDTH_PX = 480
_HEIGHT_PX = 56
_FORMAT = "mp3"
# Ten minutes are 6 MB of MP3 and 7 s of encoding; a notebook should not hold more by accident.
_MAX_EMBEDDED_S = 600.0


def clip_html(clip: Clip) -> str:
    """Waveform, player and facts; the sound is inside as MP3, unless it is too long for that."""
    peaks = clip.peaks(min(_BARS, len(clip.samples)))
    picture = (
        f'<img alt="waveform, {clip.duration_s:.2f} seconds" '
        f'src="{waveform_data_uri(peaks, _WIDTH_PX, _HEIGHT_PX)}" '
        'style="display:block;width:100%;height:56px;margin:0 0 6px 0">'
    )
    return (
        '<div style="max-width:480px;padding:8px 0">'
        f"{picture}{_player(clip)}"
        '<div style="font-size:12px;opacity:0.75;margin:4px 0 0 0">'
        f"{escape(facts_line(clip))}</div></div>"
    )


def facts_line(clip: Clip) -> str:
    """Duration, rate, levels and origin in one line."""
    facts = [f"{clip.duration_s:.2f} s", f"{clip.sample_rate_hz:,} Hz"]
    if clip.peak_dbfs == float("-inf"):
        facts.append("silent")
    else:
        facts.append(f"peak {clip.peak_dbfs:.1f} dBFS")
        facts.append(f"RMS {clip.rms_dbfs:.1f} dBFS")
    if clip.source:
        facts.append(clip.source)
    return " · ".join(facts)


def _player(clip: Clip) -> str:
    if clip.duration_s > _MAX_EMBEDDED_S:
        return (
            '<div style="font-size:12px">'
            f"too long to keep in a notebook (over {_MAX_EMBEDDED_S / 60:.0f} minutes); "
            "clip.sliced(0, 60) shows a part, clip.write(path) saves it</div>"
        )
    sound = clip.to_base64(_FORMAT)
    return (
        '<audio controls preload="metadata" style="display:block;width:100%;height:36px" '
        f'src="data:{MIME_TYPES[_FORMAT]};base64,{sound}"></audio>'
    )
