"""A turn as its vendor form, at any moment of its life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Literal

from cellvoice.audio import Clip
from cellvoice.protocol import Reply, mask_keys

from .card import (
    Card,
    EngineForm,
    Failure,
    Marks,
    Sound,
    SoundInput,
    State,
    TextInput,
)
from .details import IN_NOTEBOOK, Limits, details
from .facts import facts_form
from .turn_like import TurnLike

# Enough bars for a waveform as wide as a card, few enough to cost nothing in the file.
PEAK_COUNT = 96

SOUND_MIME = "audio/mpeg"

_STATES: dict[str, State] = {
    "complete": "complete",
    "stopped": "stopped",
    "cut": "cut",
    "length": "length",
    "filtered": "filtered",
    "refused": "refused",
    "failed": "failed",
}


def frozen(turn: TurnLike, *, href: str | None = None, limits: Limits = IN_NOTEBOOK) -> Card:
    """The turn as JSON-ready data; `href` is its sound's file when it has one of its own.

    What else a turn has (probabilities, tool calls, its request) is in it within `limits`.
    """
    return {
        "version": 1,
        "id": turn.id,
        "number": turn.number,
        "session": turn.session_id,
        "state": "running" if turn.finish is None else _STATES.get(turn.finish, "failed"),
        "asked_at": turn.asked_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "input": _inputs(turn),
        "reply": {
            "kind": _kind(turn.reply),
            "text": turn.reply.text,
            "refusal": turn.reply.refusal or None,
            "sound": _sound(turn.reply, href),
        },
        "model": turn.reply.model or turn.model,
        "voice": turn.voice,
        "engine": _engine(turn.reply.engine, turn.badge),
        "facts": facts_form(turn),
        "notices": [mask_keys(notice) for notice in turn.notices],
        "error": _failure(turn.error),
        **marks(turn.stale, turn.version, version_ids(turn)),
        **details(turn, limits),
    }


def marks(stale: bool, version: tuple[int, int], ids: Sequence[str] = ()) -> Marks:
    """What a card says of its turn's place: only what is to be said.

    `ids` are the turns of all versions in their order, where they are known.
    """
    found: Marks = {}
    if stale:
        found["stale"] = True
    number, count = version
    if count > 1:
        found["versions"] = {"k": number, "of": count}
        if len(ids) == count:
            found["versions"]["ids"] = list(ids)
    return found


def version_ids(turn: TurnLike) -> list[str]:
    """The turns that were asked in the place of a current turn, in their order, itself last."""
    return [*(one.id for one in turn.versions), turn.id]


def is_marked_as(card: Card, turn: TurnLike) -> bool:
    """Whether a card that was made before has the marks that the turn has now."""
    number, count = turn.version
    shown = card.get("versions", {"k": 1, "of": 1})
    return (card.get("stale", False), shown["k"], shown["of"]) == (turn.stale, number, count)


def _inputs(turn: TurnLike) -> list[TextInput | SoundInput]:
    parts: list[TextInput | SoundInput] = []
    heard = (turn.reply.engine or {}).get("heard")
    # The engine reports what it heard in the last sound only; older ones stay unlabelled.
    last_sound = max((i for i, part in enumerate(turn.input) if isinstance(part, Clip)), default=-1)
    for index, part in enumerate(turn.input):
        if isinstance(part, Clip):
            parts.append(
                {
                    "kind": "sound",
                    "duration_s": round(part.duration_s, 3),
                    "peaks": rounded_peaks(part),
                    "heard": heard if index == last_sound and isinstance(heard, str) else None,
                }
            )
        else:
            parts.append({"kind": "text", "text": part})
    return parts


def rounded_peaks(clip: Clip, count: int = PEAK_COUNT) -> list[float]:
    """`count` peaks 0…1 with two digits, which is what a screen can show."""
    return [round(peak, 2) for peak in clip.peaks(count)]


def _kind(reply: Reply) -> Literal["speech", "text", "none"]:
    if reply.pcm or reply.transcript:
        return "speech"
    return "text" if reply.text else "none"


def _sound(reply: Reply, href: str | None) -> Sound | None:
    clip = reply.clip
    if clip is None:
        return None
    return {
        "duration_s": round(clip.duration_s, 3),
        "sample_rate_hz": clip.sample_rate_hz,
        "peaks": rounded_peaks(clip),
        "mime": SOUND_MIME,
        "href": href,
    }


def _engine(info: Mapping[str, object] | None, badge: str) -> EngineForm | None:
    if info is None:
        # Before the first event only the session knows who will answer.
        return {"badge": badge, "detail": ""} if badge else None
    parts = [f"{part} {info[part]}" for part in ("voice", "ear") if isinstance(info.get(part), str)]
    told = badge or info.get("badge")
    return {
        "badge": told if isinstance(told, str) and told else "embedded engine, not gpt-audio",
        "detail": ", ".join(parts),
    }


def _failure(error: BaseException | None) -> Failure | None:
    if error is None:
        return None
    return {"name": type(error).__name__, "message": mask_keys(str(error))}
