"""A conversation as messages in the service's JSON, and out of them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cellvoice.audio import Clip
from cellvoice.errors import AudioError, UsageError
from cellvoice.protocol import (
    Reply,
    assistant_text,
    json_ready,
    system_message,
    user_message,
)

from ._resume import Resumed

if TYPE_CHECKING:
    from .session import Session
    from .turn import Turn

__all__ = ["from_messages", "to_messages"]

Message = Mapping[str, Any]

_EXPECTED = "expected questions of role 'user', each followed by an answer of role 'assistant'"


def to_messages(session: Session) -> list[dict[str, object]]:
    """The session's turns that have an answer, with sound as base64 and answers by their words."""
    messages: list[Mapping[str, object]] = []
    if session.system is not None:
        messages.append(system_message(session.system))
    for turn in session.turns:
        words = turn.text if turn.text.strip() else turn.reply.refusal
        asked = turn._message
        if turn.done and asked is not None and words.strip():
            messages += [asked, assistant_text(words)]
    return [json_ready(message) for message in messages]


def from_messages(kind: type[Session], messages: object, settings: Mapping[str, Any]) -> Session:
    """A session with a turn for each question and its answer. Raises UsageError."""
    if isinstance(messages, (str, Mapping)) or not isinstance(messages, Sequence):
        raise UsageError(
            f"messages is a {type(messages).__name__}, expected a list of messages such as "
            "{'role': 'user', 'content': 'Hello'}"
        )
    system, rest = _system(messages)
    given = {"system": system, **settings} if system is not None else settings
    exchanges = list(_exchanges(rest, len(messages) - len(rest)))
    session = kind(**given)
    turns = [_turn(session, number, *one) for number, one in enumerate(exchanges, 1)]
    order = tuple(turn.id for turn in turns)
    resumed = Resumed({turn.id: turn for turn in turns}, order, None, len(turns))
    session._take_over(session.id, session._journal, resumed, "")
    if session._journal is not None:
        for turn in turns:
            session._journal.ended(turn)
    return session


def _system(messages: Sequence[Any]) -> tuple[str | None, Sequence[Any]]:
    if not messages or not isinstance(messages[0], Mapping):
        return None, messages
    if messages[0].get("role") not in ("system", "developer"):
        return None, messages
    parts = _parts(messages[0].get("content"), 0)
    if any(isinstance(part, Clip) for part in parts):
        raise UsageError("messages[0] has sound in a system message, expected text")
    return "\n".join(str(part) for part in parts), messages[1:]


def _exchanges(
    messages: Sequence[Any], first: int
) -> Iterator[tuple[tuple[str | Clip, ...], Reply]]:
    """What was said and the answer; questions in a row are one question of several parts."""
    said: list[str | Clip] = []
    for at, message in enumerate(messages, first):
        role = message.get("role") if isinstance(message, Mapping) else None
        if role == "user":
            said += _parts(message.get("content"), at)
        elif role == "assistant" and said:
            yield tuple(said), _answer(message, at)
            said = []
        else:
            raise UsageError(f"messages[{at}] has role {role!r} there, {_EXPECTED}")
    if said:
        raise UsageError(
            f"the last message has no answer, {_EXPECTED}; leave it out and say it with "
            "session.say(…)"
        )


def _parts(content: object, at: int) -> list[str | Clip]:
    if isinstance(content, str):
        return [content]
    if not isinstance(content, Sequence) or not content:
        raise UsageError(f"messages[{at}] has no content, expected a text or a list of parts")
    return [_part(part, at) for part in content]


def _part(part: object, at: int) -> str | Clip:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if isinstance(part, Mapping) and kind == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    if isinstance(part, Mapping) and kind == "input_audio":
        sound = part.get("input_audio")
        if isinstance(sound, Mapping) and isinstance(sound.get("data"), str):
            return _clip(sound["data"], at)
    raise UsageError(f"messages[{at}] has a part of type {kind!r}, expected text or input_audio")


def _answer(message: Message, at: int) -> Reply:
    """An answer as a request or as the service's own reply has it."""
    reply = Reply(done=True)
    content, refusal, audio = (message.get(name) for name in ("content", "refusal", "audio"))
    if message.get("tool_calls"):
        raise UsageError(f"messages[{at}] calls tools, which can't be read from messages")
    if isinstance(refusal, str):
        reply.refusal = refusal
    if isinstance(content, str):
        reply.content = content
    elif content:
        reply.content = "".join(str(part) for part in _parts(content, at))
    if isinstance(audio, Mapping):
        _read_sound(reply, audio, at)
    if not (reply.text or reply.refusal):
        raise UsageError(
            f"messages[{at}] has no words: an answer's id holds for an hour at most, so give its "
            "transcript as content"
        )
    return reply


def _read_sound(reply: Reply, audio: Message, at: int) -> None:
    reply.transcript = str(audio.get("transcript") or "")
    expires_at = audio.get("expires_at")
    if isinstance(audio.get("id"), str) and isinstance(expires_at, int):
        reply.audio_id, reply.expires_at = audio["id"], expires_at
    if isinstance(audio.get("data"), str) and audio["data"]:
        clip = _clip(audio["data"], at)
        reply.pcm, reply.sample_rate_hz = bytearray(clip.to_pcm16()), clip.sample_rate_hz


def _clip(data: str, at: int) -> Clip:
    try:
        return Clip.from_base64(data, "pcm16")
    except AudioError as error:
        raise AudioError(f"messages[{at}] has sound that can't be read: {error}") from error


def _turn(session: Session, number: int, said: tuple[str | Clip, ...], reply: Reply) -> Turn:
    turn = session._asking.make_turn(session, {}, None)
    turn._fill(said, user_message(said if len(said) > 1 else said[0]), ())
    turn._number, turn._reply = number, reply
    turn._note("this turn was read from messages; it was not asked here")
    turn._end("refused" if reply.refusal else "complete", None)
    turn._wake()
    return turn
