"""`%%voice` says a cell, `%voice` shows and sets: after `%load_ext cellvoice`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from cellvoice.errors import UsageError
from cellvoice.render import dollars
from cellvoice.session import Session, Turn

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_DEFAULT_NAME = "session"
_SETTINGS = ("voice", "model", "system")


@magics_class
class VoiceMagics(Magics):
    """The session is a variable of the notebook, `session` unless a name is given."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._names = shell.user_ns
        self._name = _DEFAULT_NAME

    @cell_magic
    def voice(self, line: str, cell: str) -> Turn:
        """Say the cell's body on the notebook's session, which is made at first use.

        `%%voice name` uses the session in that variable.
        """
        name = line.strip() or self._name
        if not name.isidentifier():
            raise UsageError(
                f"%%voice {line.strip()!r}: expected nothing, or the name of a session's variable"
            )
        if not cell.strip():
            raise UsageError("the cell has nothing to say: write the words below %%voice")
        self._name = name
        return self._session().say(cell.strip())

    @line_magic("voice")  # type: ignore[arg-type]  # IPython types the bare form only
    def status(self, line: str) -> None:
        """Show the session, or set `voice=`, `model=` and `system=`: `%voice voice=marin`."""
        for name, value in _assignments(line):
            setattr(self._session(), name, value)
        print(_status(self._name, self._session()))  # noqa: T201 (it is the magic's answer)

    def _session(self) -> Session:
        found = self._names.get(self._name)
        if found is None:
            found = self._names[self._name] = Session()
        if not isinstance(found, Session):
            raise UsageError(
                f"the variable {self._name} is a {type(found).__name__}, expected a Session; "
                "name another one with %%voice name"
            )
        return found


def _assignments(line: str) -> list[tuple[str, str]]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(
            f"%voice {line!r}: {error}; write %voice system='Answer briefly.'"
        ) from error
    found: list[tuple[str, str]] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in _SETTINGS:
            raise UsageError(
                f"%voice does not know {word!r}, expected voice=…, model=… or system=…, "
                "for example %voice voice=marin"
            )
        found.append((name, value))
    return found


def _status(name: str, session: Session) -> str:
    turns = len(session.turns)
    facts = [
        f"{name}: {session.model}, voice {session.voice or 'none (written answers)'}",
        f"{turns} turn{'' if turns == 1 else 's'}, {dollars(float(session.cost))}",
    ]
    if session.badge:
        facts.append(session.badge)
    if session.system:
        facts.append(f"system: {session.system}")
    if session.journal_folder is not None:
        facts.append(f"journal: {session.journal_folder}")
    return " · ".join(facts)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext cellvoice`."""
    shell.register_magics(VoiceMagics)
