"""What is shown of a result, read from a file that anybody may have written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from html.parser import HTMLParser
from typing import Final

__all__ = ["CELL_STYLE", "safe_html"]

CELL_STYLE: Final = "padding:2px 10px 2px 0;text-align:left"
_PICTURES: Final = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/svg+xml;")
_VOID: Final = frozenset({"br", "img"})


def _is_cell_style(value: str) -> bool:
    return value == CELL_STYLE


def _is_picture(value: str) -> bool:
    return value.startswith(_PICTURES)


# The elements of which `results` makes what is shown, with the attributes that they have there.
_KNOWN: Final[Mapping[str, Mapping[str, Callable[[str], bool]]]] = {
    "br": {},
    "em": {},
    "img": {"alt": lambda value: True, "src": _is_picture},
    "table": {},
    "td": {"style": _is_cell_style},
    "th": {"style": _is_cell_style},
    "tr": {},
}


def safe_html(html: str) -> str:
    """The HTML with nothing in it but what a result is shown with; anything else is its text.

    What `results.shown` made comes back as it was.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.end()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = _KNOWN.get(tag)
        if known is None:
            return
        kept = "".join(
            f' {name}="{escape(value)}"'
            for name, value in attrs
            if value is not None and name in known and known[name](value)
        )
        self._parts.append(f"<{tag}{kept}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        # One that closes nothing could close what stands around.
        if tag in self._open:
            while self._open:
                last = self._open.pop()
                self._parts.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        self._parts.append(escape(data))

    def end(self) -> str:
        """All of it, with every element closed."""
        return "".join([*self._parts, *(f"</{tag}>" for tag in reversed(self._open))])
