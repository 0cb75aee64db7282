"""A turn as one line: all that is known of it, its sounds by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from cellvoice.audio import Clip

from ._errors import error_record
from ._layout import FORMAT_VERSION

if TYPE_CHECKING:
    from cellvoice.protocol import Reply
    from cellvoice.protocol.logprobs import ReplyLogprobs
    from cellvoice.session._asking import Settings
    from cellvoice.session._outline import Outline
    from cellvoice.session.tools.rounds import Round
    from cellvoice.session.turn import Turn

    from ._messages import MessageTable
    from ._sounds import SoundStore

__all__ = [
    "asked_record",
    "audit_record",
    "ended_record",
    "outline_record",
    "settings_record",
    "time_text",
]


def asked_record(turn: Turn, sounds: SoundStore) -> dict[str, object]:
    """A turn that begins: who asks what, with which settings."""
    return {
        "kind": "asked",
        "version": FORMAT_VERSION,
        "id": turn.id,
        "number": turn.number,
        "session": turn.session_id,
        "asked_at": time_text(turn.asked_at),
        "cell": _cell(turn),
        "input": [
            {"kind": "text", "text": part}
            if isinstance(part, str)
            else {"kind": "sound", **sounds.keep(part)}
            for part in turn.input
        ],
        "settings": settings_record(turn._settings),
        **({"in_pad": True} if turn._in_pad else {}),
        **({"listened": True} if turn._listened else {}),
    }


def ended_record(turn: Turn, sounds: SoundStore, messages: MessageTable) -> dict[str, object]:
    """A turn that has ended. It says all that its `asked` line says, so that one line is enough."""
    # The turn's own clip, which others hold as well, so that it is encoded once.
    reply = turn.reply
    *before, request = messages.records([*(one.request for one in turn._rounds), turn._request])
    return {
        **asked_record(turn, sounds),
        "kind": "ended",
        "ended_at": time_text(datetime.now(UTC)),
        "finish": turn.finish,
        "model": turn.model,
        "voice": turn.voice,
        "badge": turn.badge,
        # Asked, and paid for, in another session that this one branched from.
        "shared": bool(turn._shared),
        "heard": turn.heard,
        "rounds": [_round(*one) for one in zip(turn._rounds, before, strict=True)],
        "request": request,
        "request_id": turn.request_id,
        "reply": _reply(reply, sounds, turn.clip),
        **_tools(turn),
        "choices": [_reply(choice, sounds, choice.clip) for choice in reply.choices[1:]],
        "usage": turn.usage.to_json() if turn.usage else None,
        "cost_usd": turn.cost.usd,
        "cost_estimated": turn.cost.estimated,
        "cost_note": turn.cost.note,
        "cost_parts": {
            name: part._asdict() for name, part in turn.cost.parts._asdict().items() if part.tokens
        },
        "timing": dataclasses.asdict(turn.timing),
        "rungs": dict(turn.rungs),
        "notices": list(turn.notices),
        "error": error_record(turn.error),
    }


def audit_record(turn: Turn, line: Mapping[str, object]) -> dict[str, object]:
    """A decision about a call of a tool, or a run of one, when it happened."""
    return {
        "kind": "tool",
        "version": FORMAT_VERSION,
        "turn": turn.id,
        "at": time_text(datetime.now(UTC)),
        **line,
    }


def outline_record(outline: Outline) -> dict[str, object]:
    """Which turns stand where."""
    return {
        "kind": "outline",
        "version": FORMAT_VERSION,
        "order": outline.order,
        "stale": sorted(outline.stale),
        "versions": dict(outline.versions),
        "dropped": outline.dropped,
    }


def settings_record(settings: Settings) -> dict[str, object]:
    """Settings as they are, without what is no JSON, which a line can't hold."""
    params = settings.values()
    record = {name: params.pop(name) for name in ("model", "voice", "system")}
    kept = {name: value for name, value in params.items() if _is_json(value)}
    left_out = sorted(params.keys() - kept.keys())
    record |= {"params": kept, **({"left_out": left_out} if left_out else {})}
    if settings.budget_usd is not None:
        record["budget_usd"] = settings.budget_usd
    return record


def time_text(moment: datetime) -> str:
    """`2026-11-25T10:18:06.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _round(one: Round, request: object) -> dict[str, object]:
    """A request before the last one, and its answer; its sound is in that of the whole turn."""
    return {
        "request": request,
        "request_id": one.request_id,
        "reply": _reply_of_round(one.reply),
        "calls": [call.id for call in one.calls],
        "correction": one.correction,
        "cost_usd": one.cost.usd,
    }


def _reply_of_round(reply: Reply) -> dict[str, object]:
    return {**_words(reply), "received_s": round(reply.received_s, 3)}


def _tools(turn: Turn) -> dict[str, object]:
    """What came of the calls; nothing in a turn that has none."""
    told: dict[str, object] = {}
    if turn._rounds:
        told["answer"] = _reply_of_round(turn._answer)
    if turn.tool_calls:
        told["calls"] = [call.to_json() for call in turn.tool_calls]
    if turn.parsed_error is not None:
        told["parsed_error"] = turn.parsed_error
    return {**told, "trace": turn.trace.to_json()}


def _reply(reply: Reply, sounds: SoundStore, clip: Clip | None) -> dict[str, object]:
    return {**_words(reply), "sound": sounds.keep(clip) if clip is not None else None}


def _words(reply: Reply) -> dict[str, object]:
    """A reply without its sound."""
    return {
        "text": reply.text,
        "transcript": reply.transcript,
        "content": reply.content,
        "refusal": reply.refusal,
        "reply_id": reply.reply_id,
        "model": reply.model,
        "created": reply.created,
        "fingerprint": reply.fingerprint,
        "engine": dict(reply.engine) if reply.engine else None,
        "audio_id": reply.audio_id,
        "expires_at": reply.expires_at,
        "usage": reply.usage.to_json() if reply.usage else None,
        "finish_reason": reply.finish_reason,
        "heartbeats": reply.heartbeats,
        "word_pieces": [(end, round(made_s, 3)) for end, made_s in reply.word_pieces],
        "tool_calls": [dataclasses.asdict(call) for call in reply.tool_calls],
        "logprobs": _logprobs(reply.logprobs),
        "done": reply.done,
        "error": error_record(reply.error),
    }


def _logprobs(found: ReplyLogprobs | None) -> list[msgspec.Raw] | None:
    return None if found is None else [one_line(raw) for raw in found.raw]


def one_line(raw: bytes) -> msgspec.Raw:
    """The service's JSON as it came, on one line: a line end inside would cut ours."""
    return msgspec.Raw(msgspec.json.format(raw, indent=-1))


def _cell(turn: Turn) -> dict[str, object] | None:
    cell = turn.cell
    return None if cell is None else dataclasses.asdict(cell)


def _is_json(value: object) -> bool:
    try:
        msgspec.json.encode(value)
    except (TypeError, NotImplementedError, UnicodeEncodeError):
        return False
    return True
