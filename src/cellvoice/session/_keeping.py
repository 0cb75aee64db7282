"""What a session tells its journal of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cellvoice.errors import UsageError

from ._settings import SERVICE_URL, Destination
from .journal import About

if TYPE_CHECKING:
    from ._asking import Asking

__all__ = ["checked_name", "told_of"]

_LONGEST_NAME = 100


def checked_name(name: object) -> str:
    """A session's own name, "" if it has none. Raises UsageError for what can't be one."""
    if name is None:
        return ""
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
        raise UsageError(
            f"name={name!r}: expected a text of at most {_LONGEST_NAME} characters, such as "
            "name='first lesson'"
        )
    return " ".join(name.split())


def told_of(asking: Asking, to: Destination, name: str) -> Callable[[], About]:
    """What a journal writes of the session, whenever it asks."""
    made_at, base_url = asking.now(), _shown_url(to)
    # Not of the session itself, which must be free to go when nobody holds it any more.
    return lambda: About(name, made_at, asking.settings, base_url, asking.fork)


def _shown_url(to: Destination) -> str:
    """The address of a server that is not the service, without a password that may be in it."""
    base_url = to.base_url.reveal()
    if to.kind == "engine" or base_url == SERVICE_URL:
        return ""
    try:
        parts = urlsplit(base_url)
    except ValueError:
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
