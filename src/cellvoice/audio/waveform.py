"""A waveform as a picture that any notebook can show: SVG inside an `img`."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Final

__all__ = ["WAVEFORM_COLOR", "waveform_data_uri", "waveform_svg"]

# A picture behind `img` cannot see the page's colours: this one reads on white and on black.
WAVEFORM_COLOR: Final = "#6b7ff0"
_BAR_SHARE = 0.6
# Few bars in a wide picture stay slim, or their round ends would be taller than they are.
_MAX_BAR_SHARE_OF_HEIGHT = 1 / 8
_MIN_BAR_PX = 1.5


def waveform_svg(
    peaks: Sequence[float],
    width_px: int = 480,
    height_px: int = 56,
    color: str = WAVEFORM_COLOR,
) -> str:
    """Draw one bar a peak (0…1), mirrored around the middle, as an SVG document."""
    count = max(len(peaks), 1)
    step_px = width_px / count
    bar_px = min(step_px * _BAR_SHARE, height_px * _MAX_BAR_SHARE_OF_HEIGHT)
    path = []
    for index, peak in enumerate(peaks):
        # A silent stretch is still drawn, as a line of dots: the time is there.
        bar_height_px = max(min(max(peak, 0.0), 1.0) * (height_px - bar_px), _MIN_BAR_PX)
        # To whole pixels: two pictures are a third of a small card's bytes.
        whole_px = round(bar_height_px) if bar_height_px > _MIN_BAR_PX else _MIN_BAR_PX
        x_px = (index + 0.5) * step_px
        path.append(f"M{x_px:.4g} {(height_px - whole_px) / 2:g}v{whole_px:g}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_px}" height="{height_px}" '
        f'viewBox="0 0 {width_px} {height_px}" preserveAspectRatio="none">'
        f'<path d="{"".join(path)}" stroke="{escape(color)}" stroke-width="{bar_px:.2f}" '
        'stroke-linecap="round" fill="none"/></svg>'
    )


def waveform_data_uri(
    peaks: Sequence[float],
    width_px: int = 480,
    height_px: int = 56,
    color: str = WAVEFORM_COLOR,
) -> str:
    """The picture of `waveform_svg` as a `data:` address for the `src` of an `img`."""
    svg = waveform_svg(peaks, width_px, height_px, color)
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
