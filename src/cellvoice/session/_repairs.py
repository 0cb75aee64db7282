"""What a refused request may leave out, so that it can be asked once more."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from cellvoice.errors import ServiceError
from cellvoice.protocol import PARAMS, Request

from ._history import forget_sound

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["Repairs"]

_REFUSING: Final = (400, 403)
# One makes no sense without the other.
_TOGETHER: Final = frozenset({"logprobs", "top_logprobs"})
# They are words of no other language, so a message that has one speaks of the parameter.
_UNMISTAKABLE: Final = frozenset({"logprobs", "top_logprobs", "prompt_cache_key"})


class Repairs:
    """The repairs of one turn. Each leaves less of its request that could be refused, so they end.

    `without` are the parameters that the service refused and that the next request leaves out.
    """

    def __init__(
        self, turn: Turn, before: Callable[[], tuple[Turn, ...]], clock: Callable[[], float]
    ) -> None:
        self.without: frozenset[str] = frozenset()
        self._turn = turn
        self._before = before
        self._clock = clock
        self._sound_was_lost = False

    def repair(self, error: ServiceError) -> str | None:
        """Make the request fit for a service that refused it whole; a sentence about what changed.

        None if nothing can be done; then the error says what the user can do.
        """
        if error.code == "audio_not_found":
            return self._forget_sound(error)
        request = self._turn.request
        name = _refused(error, request) if request is not None else None
        if request is None or name is None:
            return None
        setting = _setting_behind(name, self._turn._settings.params)
        if not PARAMS[setting].droppable:
            _advise(error, setting)
            return None
        dropped = (_TOGETHER if name in _TOGETHER else {name}) & set(request.params)
        self.without |= dropped
        names = " and ".join(sorted(dropped))
        return f"asked again without {names}: {error}"

    def _forget_sound(self, error: ServiceError) -> str | None:
        # A service that has lost a second sound is taken to have lost all: it was started anew.
        gone = forget_sound(self._before(), error, self._clock(), doubt_all=self._sound_was_lost)
        if not gone:
            return None
        self._sound_was_lost = True
        numbers = ", ".join(str(one.number) for one in gone)
        which = f"turn {numbers}" if len(gone) == 1 else f"turns {numbers}"
        return (
            f"the service no longer had the sound of {which}; the transcript was sent instead, "
            "so the answer may come as text"
        )


def _refused(error: ServiceError, request: Request) -> str | None:
    """The parameter of the request that the service refuses by name, or None."""
    if error.status not in _REFUSING:
        return None
    sent = [name for name in request.params if name in PARAMS]
    param = re.split(r"[.\[]", error.param or "", maxsplit=1)[0]
    if param in sent:
        return param
    if param in request.params or param == "messages":
        return None
    # The longest first: top_logprobs has logprobs in it.
    named = [name for name in sent if _is_named(name, str(error))]
    return max(named, key=len, default=None)


def _setting_behind(name: str, params: Mapping[str, object]) -> str:
    """What the user set, so that the request has a field of this name."""
    extra = params.get("extra_body")
    if isinstance(extra, Mapping) and name in extra:
        return "extra_body"
    return name if name in params or name in _TOGETHER else "schema"


def _is_named(name: str, message: str) -> bool:
    quoted = rf"['\"`]{name}(?:['\"`.\[])"
    plain = rf"|\b{name}\b" if name in _UNMISTAKABLE else ""
    return re.search(quoted + plain, message) is not None


def _advise(error: ServiceError, name: str) -> None:
    advice = f"leave {name} out (session.configure({name}=None) if the session has it)"
    if name == "response_format":
        advice += "; schema= asks models that can call functions for an object, too"
    error.args = (f"{error}; {advice}", *error.args[1:])
