"""Numbers as a card writes them."""

from __future__ import annotations

import pytest

from cellvoice.render.words import seconds


@pytest.mark.parametrize(
    ("duration_s", "written"),
    [
        (0.0, "0.00 s"),
        (0.0004, "under 0.01 s"),
        (0.19, "0.19 s"),
        (12.34, "12.3 s"),
        (125.2, "2 min 05 s"),
    ],
)
def test_a_duration_is_never_shown_as_nothing(duration_s: float, written: str) -> None:
    assert seconds(duration_s) == written
