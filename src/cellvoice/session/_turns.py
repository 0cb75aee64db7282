"""The turns of a conversation as a sequence that shows itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex, overload

from cellvoice.errors import UsageError

from ._show import conversation_html, turn_line
from .turn import Turn

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Turns", "frame", "row"]


class Turns(tuple[Turn, ...]):
    """The turns of a session as they stood when they were asked for, in order; a slice is one, too.

    Shown at the end of a cell it is the conversation, with marks at stale turns and at those that
    have older versions.
    """

    __slots__ = ()

    @overload
    def __getitem__(self, at: SupportsIndex) -> Turn: ...
    @overload
    def __getitem__(self, at: slice) -> Turns: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Turn | Turns:
        if isinstance(at, slice):
            return Turns(super().__getitem__(at))
        return super().__getitem__(at)

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each turn. Raises UsageError where pandas is not installed."""
        return frame([row(turn) for turn in self])

    def __repr__(self) -> str:
        if not self:
            return "<Turns: none yet>"
        return "\n".join(turn_line(turn) for turn in self)

    def _repr_html_(self) -> str:
        return conversation_html(self)


def row(turn: Turn) -> dict[str, object]:
    """What a table says of a turn."""
    usage, clip = turn.usage, turn.clip
    return {
        "number": turn.number,
        "id": turn.id,
        "asked_at": turn.asked_at,
        "input": " ".join(
            part if isinstance(part, str) else f"[sound {part.duration_s:.1f} s]"
            for part in turn.input
        ),
        "text": turn.text,
        "finish": turn.finish,
        "stale": turn.stale,
        "versions": len(turn.versions),
        "cell": turn.cell.id if turn.cell is not None else None,
        "model": turn.model,
        "voice": turn.voice,
        "system": turn._settings.system,
        "reply_s": clip.duration_s if clip is not None else 0.0,
        "prompt_tokens": usage.prompt_tokens if usage is not None else None,
        "completion_tokens": usage.completion_tokens if usage is not None else None,
        "cost_usd": turn.cost_usd,
        "first_sound_s": turn.timing.first_sound_s,
        "total_s": turn.timing.total_s,
    }


def frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows as a table. Raises UsageError where pandas is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise UsageError(
            "to_dataframe() needs pandas, which is not installed here; run pip install pandas"
        ) from error
    return pandas.DataFrame(rows)
