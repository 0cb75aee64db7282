"""What a result is to the model and to a person."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest

from cellvoice.audio import Clip
from cellvoice.session.tools.results import MOST_LETTERS, shown
from cellvoice.session.tools.safe_html import safe_html

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Place:
    city: str
    at: datetime.date


class Stay(pydantic.BaseModel):
    city: str
    nights: int


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("sun", "sun"),
        ("", "(an empty text)"),
        (None, "null"),
        ({"a": [1, 2.5, True]}, '{"a": [1, 2.5, true]}'),
        ({1: "é"}, '{"1": "é"}'),
        (Place("Lyon", datetime.date(2026, 11, 25)), '{"city": "Lyon", "at": "2026-11-25"}'),
        (Stay(city="Lyon", nights=2), '{"city": "Lyon", "nights": 2}'),
        (Colour.RED, '"red"'),
        (np.float64(1.5), "1.5"),
        ({"n": np.int64(3)}, '{"n": 3}'),
        (b"abc", '"3 bytes"'),
    ],
)
def test_json_and_what_is_like_it_goes_as_it_is(result: object, text: str) -> None:
    found = shown(result)
    assert (found.text, found.html) == (text, None)


def test_a_table_is_described_by_its_shape_and_first_rows() -> None:
    found = shown(pd.DataFrame({"city": ["Lyon", "Nice"] * 20, "degrees": range(40)}))
    assert found.text.startswith("a table of 40 rows and 2 columns: city (")
    assert "Lyon | 0" in found.text and "[the first 20 of 40 rows]" in found.text
    assert found.html is not None and found.html.count("<tr>") == 21


def test_what_is_in_a_table_is_text_and_never_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    found = shown(pd.DataFrame({evil: [evil]}))
    assert found.html is not None and "<img" not in found.html and "&lt;img" in found.html
    series = shown(pd.Series([evil], name=evil))
    assert series.html is not None and "<img" not in series.html


def test_an_array_is_described_by_its_shape_and_range() -> None:
    found = shown(np.arange(1_000.0).reshape(10, 100))
    assert found.text.startswith("an array of 10 × 100, float64, from 0 to 999, mean 499.5")
    assert found.html is not None and found.html.startswith("<table>")
    assert "[[1, 2], [3, 4]]" in shown(np.array([[1, 2], [3, 4]])).text
    assert shown(np.array([], dtype=float)).text == "an array of 0, float64: []"


class Axis:
    def get_title(self) -> str:
        return '"><script>'


class Figure:
    """As much of matplotlib's figure as is looked at."""

    axes = (Axis(),)

    def savefig(self, file: Any, *, format: str, dpi: int) -> None:  # noqa: A002
        assert format == "png" and dpi > 0
        file.write(PNG)


class Picture:
    """As much of a picture of Pillow's as is looked at."""

    size = (4, 3)

    def _repr_png_(self) -> bytes:
        return PNG


def test_a_figure_is_a_picture_on_the_card_and_words_for_the_model() -> None:
    found = shown(Figure())
    assert "a figure with 1 plot" in found.text and "it is shown to the user" in found.text
    assert found.html is not None and 'src="data:image/png;base64,' in found.html
    assert "<script" not in found.html


def test_a_picture_is_shown_and_described() -> None:
    found = shown(Picture())
    assert found.text == "a picture (Picture) of 4 × 3; it is shown to the user"
    assert found.html is not None and found.html.startswith("<img ")


class Bundled:
    """A picture that is known by its bundle alone, as those of MCP servers are."""

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {"text/plain": "a picture", "image/jpeg": "AAAA"}


def test_texts_and_pictures_together_are_told_one_after_the_other() -> None:
    found = shown(["<b>here</b>", Bundled()])
    assert found.text == "<b>here</b>\na picture (Bundled); it is shown to the user"
    assert found.html is not None and found.html.startswith("&lt;b&gt;here&lt;/b&gt;<br><img ")
    assert 'src="data:image/jpeg;base64,AAAA"' in found.html


def test_a_long_result_is_cut_with_a_note() -> None:
    found = shown("word " * 10_000)
    assert len(found.text) < MOST_LETTERS + 200
    assert found.text.endswith("of 50,000 characters; ask for a smaller part]")


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_what_can_t_be_described_is_told_by_its_type() -> None:
    circle: list[object] = []
    circle.append(circle)
    assert shown(Broken()).text == "a Broken that can't be described (RuntimeError)"
    assert shown(circle).text == "a list that can't be described (RecursionError)"


def test_half_a_letter_does_not_stop_the_request() -> None:
    shown("\ud83d").text.encode()


@pytest.mark.parametrize(
    "result",
    [
        pd.DataFrame({"a": [1.5, "<b>", '"']}),
        np.arange(6).reshape(2, 3),
        Figure(),
        ["text & more", Picture()],
        Clip.from_pcm16(b"\x00\x10" * 2_400, 24_000),
    ],
)
def test_what_is_shown_comes_back_from_a_file_as_it_was(result: object) -> None:
    html = shown(result).html
    assert html is not None and safe_html(html) == html


@pytest.mark.parametrize(
    ("html", "safe"),
    [
        ("<script>alert(1)</script>", "alert(1)"),
        ('<img src="https://evil.example/x.png">', "<img>"),
        ('<img src="data:text/html,x" onerror="alert(1)">', "<img>"),
        ('<td style="position:fixed">x', "<td>x</td>"),
        ("</div></td><tr>x", "<tr>x</tr>"),
        ("<svg onload=alert(1)>", ""),
        ("<a href='javascript:alert(1)'>x</a>", "x"),
        ("<table><tr>", "<table><tr></tr></table>"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("<!-- <script>x</script> -->", ""),
        (
            '<img alt="&quot;><script>" src="data:image/png;base64,AA==">',
            '<img alt="&quot;&gt;&lt;script&gt;" src="data:image/png;base64,AA==">',
        ),
    ],
)
def test_nothing_else_comes_from_a_file(html: str, safe: str) -> None:
    assert safe_html(html) == safe
