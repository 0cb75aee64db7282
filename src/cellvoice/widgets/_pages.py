"""What the kernel remembers of each page: how far it has heard it, and the answers it gave."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

Message = dict[str, object]

# A page that is reloaded again and again leaves one each time.
_PAGES_KEPT = 64
_ANSWERS_KEPT = 8
# Answers hold sound, and the channel of frozen cards lives as long as its kernel.
_PAGES_WITH_ANSWERS = 4
# A page that still asks after so many repeats misses something else.
_ANSWER_REPEATS = 3


@dataclass(slots=True)
class _Given:
    """An answer, kept for a page that did not get it."""

    message: Message
    buffers: list[bytes]
    repeats: int = 0


@dataclass(slots=True)
class Page:
    """One page: each of its numbers is taken once and in order; it repeats from a hole on."""

    got: int = 0
    owes_ack: bool = False
    _answers: OrderedDict[str, _Given] = field(default_factory=OrderedDict)

    def accept(self, seq: int) -> bool:
        """Whether this is the next message; anything else is a repeat or comes after a hole."""
        self.owes_ack = True
        if seq != self.got + 1:
            return False
        self.got = seq
        return True

    def keep(self, request: str, message: Message, buffers: list[bytes]) -> None:
        """Keep the answer to a request, in case it is lost on its way."""
        self._answers[request] = _Given(message, buffers)
        if len(self._answers) > _ANSWERS_KEPT:
            self._answers.popitem(last=False)

    def forget_answers(self) -> None:
        """Its page has not been heard for long, and most likely is no more."""
        self._answers.clear()

    def kept(self) -> list[tuple[Message, list[bytes]]]:
        """The latest answers, to be given again; each a few times at most."""
        found = []
        for request, given in list(self._answers.items()):
            found.append((given.message, given.buffers))
            given.repeats += 1
            if given.repeats >= _ANSWER_REPEATS:
                del self._answers[request]
        return found


class Pages:
    """All pages of one widget by their ids; those that were not heard for longest are forgotten."""

    def __init__(self) -> None:
        self._pages: OrderedDict[str, Page] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pages)

    def at(self, name: str) -> Page:
        """The page of that id, as it is, or a new one."""
        page = self._pages.get(name)
        if page is None:
            page = self._pages[name] = Page()
            if len(self._pages) > _PAGES_KEPT:
                self._pages.popitem(last=False)
            for silent in list(self._pages.values())[:-_PAGES_WITH_ANSWERS]:
                silent.forget_answers()
        else:
            self._pages.move_to_end(name)
        return page

    def acks(self) -> list[Message]:
        """One message for every page from which something has arrived since its last one."""
        owing = [(name, page) for name, page in self._pages.items() if page.owes_ack]
        for _, page in owing:
            page.owes_ack = False
        return [{"kind": "ack", "page": name, "seq": page.got} for name, page in owing]
