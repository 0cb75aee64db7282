"""What frozen cards may ask of the kernel that made their turns: one channel for all pages."""

from __future__ import annotations

import logging

from cellvoice.errors import CellvoiceError
from cellvoice.session import all_turns, background_loop
from cellvoice.widgets import Answer, Channel, StandingComm

from ._turn_requests import Data, Handler, answered, turn_readings

_log = logging.getLogger(__name__)

TARGET = "cellvoice.turns"
# More cards than a page ever draws at once.
_MOST_TURNS = 2_000


class FrozenCards:
    """Tells of the turns of every session that the kernel still holds, and changes nothing."""

    def __init__(self) -> None:
        self._requests: dict[str, Handler] = {
            **turn_readings(lambda id_: all_turns().get(id_)),
            "known": _known,
        }
        self._channel = Channel(
            self._send,
            loop=background_loop(),
            on_event=lambda page, name, data, buffers: None,
            on_request=self._answer,
        )
        self._comm = StandingComm(TARGET, self._channel.receive)

    def _send(self, content: dict[str, object], buffers: list[bytes]) -> None:
        self._comm.send(content, buffers)

    async def _answer(self, name: str, data: Data, buffers: tuple[bytes, ...]) -> Answer:
        return await answered(self._requests, name, data, buffers)


async def _known(data: Data, buffers: tuple[bytes, ...]) -> Answer:
    """Which of these turns the kernel has: {turns: [id, …]} → the same with fewer."""
    asked = data.get("turns")
    ids = asked[:_MOST_TURNS] if isinstance(asked, list) else []
    turns = all_turns()
    return {"turns": [id_ for id_ in ids if isinstance(id_, str) and id_ in turns]}, ()


_standing: FrozenCards | None = None


def answer_frozen_cards() -> None:
    """From now on frozen cards get answers; does nothing the second time."""
    global _standing  # noqa: PLW0603 (a kernel has one manager of comms)
    if _standing is not None:
        return
    try:
        _standing = FrozenCards()
    except (CellvoiceError, ImportError, AttributeError, RuntimeError):
        # Another kernel's comms may differ; its cards are as complete as any saved one.
        _log.debug("frozen cards get no answers in this kernel", exc_info=True)
