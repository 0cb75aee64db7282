"""What can be set, as text: the answer of `%voice params`."""

from __future__ import annotations

import shutil
import textwrap

from cellvoice.protocol import PARAMS, Param, Schema, facts
from cellvoice.session import Session

__all__ = ["brief", "settings_table"]

_MIN_WIDTH = 60
_INDENT = 8


def settings_table(session: Session) -> str:
    """All parameters by groups, each with what is set, what it does, and whether it is refused."""
    values = session.settings_values()
    known = facts(session.model)
    refused = known.refused if known else {}
    lines = [f"model = {brief(session.model)}", f"system = {brief(session.system)}"]
    group = ""
    for param in PARAMS.values():
        if param.renamed_to is not None:
            continue
        if param.group != group:
            group = param.group
            lines += ["", group]
        is_set = param.name in values
        lines.append(f"    {param.name}{f' = {brief(values[param.name])}' if is_set else ''}")
        told = _told(param, speaks=known is not None and known.needs_audio)
        if param.name in refused:
            told += f" {session.model} REFUSES IT."
        lines += _wrapped(told)
    return "\n".join(lines)


def _told(param: Param, *, speaks: bool) -> str:
    told = f"{param.text} Expected: {param.expected}."
    if param.default is not None:
        default = list(param.default) if isinstance(param.default, tuple) else param.default
        told += f" Without it: {brief(default)}."
    if param.warning:
        told += f" Beware: {param.warning}."
    if speaks and param.audio_note:
        told += f" With audio models: {param.audio_note}."
    return told


def _wrapped(told: str) -> list[str]:
    width = max(shutil.get_terminal_size().columns, _MIN_WIDTH)
    margin = " " * _INDENT
    return textwrap.wrap(told, width, initial_indent=margin, subsequent_indent=margin)


def brief(value: object) -> str:
    """A value in at most 40 characters."""
    text = value.name if isinstance(value, Schema) else repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
