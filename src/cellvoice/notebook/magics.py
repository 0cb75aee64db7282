"""`%%voice` says a cell, `%voice` shows and sets: after `%load_ext cellvoice`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from cellvoice.errors import UsageError
from cellvoice.protocol import PARAMS, current_names, nearest, value_from_text, with_parameters
from cellvoice.render import dollars
from cellvoice.session import Session, Turn, size_words

from ._settings_table import brief, settings_table

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_DEFAULT_NAME = "session"
# What is a text as it stands; all else is read by the kind that the table gives it.
_TEXTS = ("model", "system")
_TABLE = "params"


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
    @with_parameters
    def status(self, line: str) -> None:
        """Show the session, or set what it asks with: `%voice voice=marin temperature=0.8`.

        `%voice temperature=` unsets. `%voice params` shows all parameters with what is set now and
        what the session's model refuses. A value that is a list or a mapping is JSON in quotation
        marks, `stop='["END"]'`, or the name of a variable, `schema=Booking`.
        """
        session = self._session()
        if line.strip() == _TABLE:
            print(settings_table(session))  # noqa: T201 (it is the magic's answer)
            return
        settings = {name: self._value(name, text) for name, text in _assignments(line)}
        session.configure(**current_names(settings))
        for old in settings:
            if old in PARAMS and PARAMS[old].renamed_to is not None:
                print(f"{old} is now called {PARAMS[old].renamed_to}")  # noqa: T201
        print(_status(self._name, session))  # noqa: T201

    def _value(self, name: str, text: str) -> object:
        if name in _TEXTS:
            return text or None
        is_structured = name in PARAMS and PARAMS[name].kind == "json"
        if is_structured and text.isidentifier() and text in self._names:
            return self._names[text]
        return value_from_text(name, text)

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
        if not equals:
            raise UsageError(
                f"%voice does not know {word!r}, expected name=value, for example "
                "%voice voice=marin; %voice params shows all names"
            )
        if name not in _TEXTS and name not in PARAMS:
            near = nearest(name, [*_TEXTS, *PARAMS])
            advice = f"did you mean {near!r}?" if near else "%voice params shows all names"
            raise UsageError(f"%voice has no setting {name!r}; {advice}")
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
    facts += [f"{name}={brief(value)}" for name, value in session.parameters.items()]
    if session.system:
        facts.append(f"system: {session.system}")
    if session.journal_folder is not None:
        size = f" ({size_words(session.journal_bytes)})" if session.journal_bytes else ""
        facts.append(f"journal: {session.journal_folder}{size}")
    return " · ".join(facts)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext cellvoice`."""
    shell.register_magics(VoiceMagics)
