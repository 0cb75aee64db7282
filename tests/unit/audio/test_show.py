"""How a clip looks in a notebook."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest

from cellvoice.audio import Clip, waveform_data_uri, waveform_svg

# What JupyterLab's sanitizer keeps in an untrusted notebook, of what is used here.
KEPT_TAGS = {"div", "img", "audio"}
KEPT_ATTRIBUTES = {"style", "src", "alt", "controls", "preload"}
KEPT_STYLES = {
    "max-width",
    "padding",
    "display",
    "width",
    "height",
    "margin",
    "font-size",
    "opacity",
}


class Elements(HTMLParser):
    """Every element of a page, with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(html)
    return parser.found


def sample_clip(source: str = "", duration_s: float = 1.0) -> Clip:
    times_s = np.arange(round(24_000 * duration_s)) / 24_000
    return Clip((0.5 * np.sin(2_000 * times_s)).astype(np.float32), 24_000, source)


def test_a_clip_shows_a_picture_a_player_and_facts() -> None:
    bundle = sample_clip("hello.wav")._repr_mimebundle_()
    html = bundle["text/html"]
    assert [tag for tag, _ in elements(html)] == ["div", "img", "audio", "div"]
    assert "1.00 s · 24,000 Hz · peak -6.0 dBFS · RMS -9.0 dBFS · hello.wav" in html
    assert bundle["text/plain"].startswith("Clip(1.00 s")


def test_the_player_holds_the_sound() -> None:
    html = sample_clip()._repr_mimebundle_()["text/html"]
    (src,) = [attributes["src"] for tag, attributes in elements(html) if tag == "audio"]
    assert src is not None
    kind, _, text = src.partition(",")
    assert kind == "data:audio/mpeg;base64"
    assert Clip.from_bytes(base64.b64decode(text)).duration_s == pytest.approx(1.0, abs=0.03)


def test_an_untrusted_notebook_keeps_everything() -> None:
    html = sample_clip()._repr_mimebundle_()["text/html"]
    for tag, attributes in elements(html):
        assert tag in KEPT_TAGS
        assert set(attributes) <= KEPT_ATTRIBUTES
        for style in filter(None, (attributes.get("style") or "").split(";")):
            assert style.partition(":")[0] in KEPT_STYLES


def test_a_name_from_outside_is_text() -> None:
    html = sample_clip('<img src=x onerror="alert(1)">.wav')._repr_mimebundle_()["text/html"]
    assert [tag for tag, _ in elements(html)] == ["div", "img", "audio", "div"]
    assert "&lt;img src=x" in html


def test_a_very_long_clip_is_not_put_into_the_notebook() -> None:
    long = Clip(np.zeros(8_000 * 601, np.int16), 8_000)
    html = long._repr_mimebundle_()["text/html"]
    assert "<audio" not in html
    assert "clip.write(path)" in html
    assert len(html) < 20_000


def test_silence_and_a_single_sample_can_be_shown() -> None:
    assert "silent" in Clip(np.zeros(500, np.int16), 24_000)._repr_mimebundle_()["text/html"]
    assert "<audio" in Clip(np.ones(1, np.int16), 24_000)._repr_mimebundle_()["text/html"]


def test_the_waveform_is_one_bar_a_peak_and_as_high_as_it() -> None:
    root = ElementTree.fromstring(waveform_svg([0.0, 0.5, 1.0], 300, 50))
    (path,) = root
    bars = re.findall(r"M([\d.]+) ([\d.]+)v([\d.]+)", path.attrib["d"])
    heights = [float(height) for _, _, height in bars]
    assert [float(x) for x, _, _ in bars] == [50, 150, 250]
    assert 0 < heights[0] < heights[1] < heights[2] <= 50
    for _, top, height in bars:
        assert float(top) + float(height) / 2 == pytest.approx(25, abs=0.1)


def test_the_waveform_of_nothing_and_of_nonsense_is_still_a_picture() -> None:
    for peaks in ([], [-1.0, 7.0]):
        ElementTree.fromstring(waveform_svg(peaks, 300, 50, '"><script>'))


def test_the_data_address_holds_the_picture() -> None:
    uri = waveform_data_uri([0.5], 100, 20, "#123456")
    kind, _, text = uri.partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(text).decode() == waveform_svg([0.5], 100, 20, "#123456")
