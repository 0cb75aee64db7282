"""The browser half: one module, of which each page gets a copy when it asks for it."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cellvoice.errors import UsageError

STATIC = Path(__file__).parent.parent / "_static"


@dataclass(frozen=True, slots=True)
class PageCode:
    """An ECMAScript module, zipped; `name` tells it from any other, also of another release."""

    name: str
    zipped: bytes

    @classmethod
    def of(cls, zipped: bytes) -> PageCode:
        """Named by what is in it."""
        return cls(hashlib.sha256(zipped).hexdigest()[:16], zipped)


def page_code() -> PageCode:
    """The module of this installation. Raises UsageError where none was built."""
    return _page_code(STATIC)


@cache
def _page_code(static: Path) -> PageCode:
    return PageCode.of(_built(static / "page.js.gz"))


def entry_module() -> str:
    """The source of the small module that travels with each widget and asks for the other.

    Raises UsageError where it was not built.
    """
    return _built(STATIC / "widget.js").decode()


@cache
def whole_module() -> str:
    """The source of the module itself, for hosts that give every module an address of its own.

    Raises UsageError where it was not built.
    """
    return gzip.decompress(page_code().zipped).decode()


def _built(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the browser half of cellvoice is not built ({path} is missing): "
            "run scripts/build in the checkout, or install the wheel"
        ) from error
