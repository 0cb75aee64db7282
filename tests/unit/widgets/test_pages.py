"""What the kernel remembers of pages."""

from __future__ import annotations

from cellvoice.widgets._pages import Pages


def test_only_the_pages_that_were_heard_last_have_their_answers_kept() -> None:
    pages = Pages()
    for name in ("a", "b", "c", "d"):
        pages.at(name).keep(f"{name}.1", {"kind": "result"}, [b"sound"])
    pages.at("a")
    pages.at("e")
    assert [bool(pages.at(name).kept()) for name in ("a", "b", "c", "d")] == [
        True,
        False,
        True,
        True,
    ]
