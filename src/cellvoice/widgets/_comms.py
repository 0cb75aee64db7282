"""What is used of Jupyter's comms besides widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

Receive = Callable[[object, Sequence[object]], None]


def undo_reply_routing(comm: object) -> None:
    """Let messages of the page arrive while a cell runs, on ipykernel 7.4 and later.

    7.4 sends a comm's messages to the loop that last sent on that comm: the main one, which a busy
    cell blocks. To be seen by running `session.listen()` in a cell without this. It is private to
    ipykernel and can go when ipykernel offers a way to choose.
    """
    if hasattr(comm, "_reply_subshell_for"):
        cast("Any", comm)._reply_subshell_for = lambda data, default: default


class StandingComm:
    """A comm that is there for every page that looks for its target, without a word to any.

    A comm that is opened is announced to all front ends, and one that does not know the target
    complains and closes it. This one is only noted in the kernel: `comm_info` tells of it, and a
    page speaks on it at once. No page closes it; if one does, it is noted anew.
    """

    def __init__(self, target: str, receive: Receive) -> None:
        self._target = target
        self._receive = receive
        self._note()

    def send(self, content: Mapping[str, object], buffers: Sequence[bytes]) -> None:
        """One message to all pages."""
        self._comm.send(dict(content), buffers=list(buffers))

    def _note(self) -> None:
        import comm

        # `primary` would announce it.
        made = comm.create_comm(target_name=self._target, primary=False)
        undo_reply_routing(made)
        made.on_msg(self._take)
        made.on_close(lambda message: self._note())
        comm.get_comm_manager().register_comm(made)
        self._comm = made

    def _take(self, message: Any) -> None:
        self._receive(message["content"]["data"], message.get("buffers") or ())
