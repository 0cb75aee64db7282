"""A conversation as a program that holds it again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cellvoice.audio import Clip
from cellvoice.errors import UsageError

from ._exporting import target_file
from .journal import settings_record, sound_bytes

if TYPE_CHECKING:
    from ._asking import Settings
    from .session import Session
    from .turn import Turn

__all__ = ["to_script"]

_HEAD = '''"""The conversation {title}, to be held again.

Run it with python. Without OPENAI_API_KEY the embedded engine answers, which is not gpt-audio.
"""

from pathlib import Path

import cellvoice as cv

HERE = Path(__file__).resolve().parent
'''


def to_script(session: Session, path: str | os.PathLike[str] | None) -> str:
    """The program; written, with its sounds beside it, if there is a path. Raises UsageError."""
    if not session.turns:
        raise UsageError("there is nothing to repeat: the conversation has no turns yet")
    target = None if path is None else target_file(path)
    lines = [_HEAD.format(title=_quoted(session)), *_session(session)]
    for turn in session.turns:
        lines += ["", *_turn(turn, session, _place_of_sounds(session, target))]
    program = "\n".join(lines) + "\n"
    if target is not None:
        target.write_text(program, encoding="utf-8", errors="backslashreplace")
    return program


def _quoted(session: Session) -> str:
    name = session.name or session.id
    return repr(name.replace("\\", "/").replace('"', "'"))


def _session(session: Session) -> list[str]:
    values, left_out = _values(session._asking.settings)
    voice = values.get("voice")
    base_url = session._about().base_url
    arguments = {
        **({"base_url": base_url} if base_url else {}),
        **{name: value for name, value in values.items() if value is not None},
        **({"name": session.name} if session.name else {}),
    }
    lines = [f"session = cv.Session({_keywords(arguments)})"]
    if voice is None:
        lines.append("session.voice = None")
    return [*_told(left_out), *lines]


def _turn(turn: Turn, session: Session, sound: Callable[[Clip], str]) -> list[str]:
    usual, _ = _values(session._asking.settings)
    values, left_out = _values(turn._settings)
    changed = {
        name: values.get(name)
        for name in dict.fromkeys((*values, *usual))
        if values.get(name) != usual.get(name)
    }
    said = [repr(part) if isinstance(part, str) else sound(part) for part in turn.input]
    spoken = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    overrides = f", {_keywords(changed)}" if changed else ""
    return [*_told(left_out), f"turn = session.say({spoken}{overrides})", "print(turn.text)"]


def _values(settings: Settings) -> tuple[dict[str, object], list[str]]:
    """What is set, as a program can write it, and the names of what it can't."""
    record = settings_record(settings)
    params, left_out = record.pop("params"), record.pop("left_out", [])
    assert isinstance(params, Mapping)
    assert isinstance(left_out, list)
    return {**record, **params}, left_out


def _told(left_out: list[str]) -> list[str]:
    return [
        f"# {name}= was something that can't be written here; pass it again" for name in left_out
    ]


def _keywords(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def _place_of_sounds(session: Session, target: Path | None) -> Callable[[Clip], str]:
    """How the program names a clip; its file is there when this has been asked for it."""

    def beside(clip: Clip) -> str:
        assert target is not None
        name, flac = sound_bytes(clip)
        folder = target.with_name(f"{target.stem}_sound")
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(flac)
        return f"HERE / {f'{folder.name}/{name}'!r}"

    def in_journal(clip: Clip) -> str:
        folder = session.journal_folder
        name, _ = sound_bytes(clip)
        path = folder / "sound" / name if folder is not None else None
        if path is None or not path.is_file():
            raise UsageError(
                "the program needs files for what was spoken, and there is no journal that has "
                "them; pass a path, such as session.to_script('talk.py')"
            )
        return f"Path({str(path)!r})"

    return in_journal if target is None else beside
