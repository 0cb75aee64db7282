"""A turn that was read from a journal: a real one, whose sound is read when somebody wants it."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import msgspec

from cellvoice.audio import Clip
from cellvoice.errors import AudioError, UsageError
from cellvoice.protocol import (
    CostPart,
    CostParts,
    Reply,
    Request,
    Schema,
    Usage,
    user_message,
)
from cellvoice.protocol.fold import ReplyToolCall
from cellvoice.protocol.logprobs import ReplyLogprobs

from ._asking import Settings
from ._cost import Cost
from ._outcome import finish_of, has_content, notices_of
from ._parsing import Parsed, parse, read_object
from ._seams import Cell
from .journal import KeptRequest, error_from, sound_path
from .tools.calls import ToolCall
from .tools.of_turn import WROTE
from .tools.rounds import Round
from .tools.trace import Trace
from .turn import Finish, Timing, Turn

if TYPE_CHECKING:
    from .journal import TurnStory
    from .session import Session

__all__ = ["RestoredTurn", "restored_settings"]

_log = logging.getLogger("cellvoice.session")

_FINISHES = ("complete", "stopped", "cut", "length", "filtered", "refused", "failed")

Record = Mapping[str, Any]


class RestoredReply(Reply):
    """A reply whose sound lies in a file until somebody asks for it."""

    __slots__ = ("_load", "_pcm", "_sound")

    def __init__(self, sound: Record, load: Callable[[Record], Clip | None]) -> None:
        self._sound = sound
        self._load: Callable[[Record], Clip | None] | None = load if sound else None
        self._pcm = bytearray()
        super().__init__()

    @property
    def pcm(self) -> bytearray:
        """The samples; read from the journal on first use, empty if the file is gone."""
        load, self._load = self._load, None
        clip = load(self._sound) if load is not None else None
        if clip is not None:
            self._pcm = bytearray(clip.to_pcm16())
            self.sample_rate_hz = clip.sample_rate_hz
        return self._pcm

    @pcm.setter
    def pcm(self, pcm: bytearray) -> None:
        self._pcm = pcm

    @property
    def received_s(self) -> float:
        """Seconds of sound that had arrived, as the journal tells."""
        told = self._sound.get("duration_s")
        return float(told) if isinstance(told, (int, float)) else super().received_s


class RestoredTurn(Turn):
    """A turn out of a journal. `input` and `clip` are read from their files on first use."""

    def __init__(self, session: Session, story: TurnStory, folder: Path, number: int) -> None:
        record = story.record
        self._record, self._folder = record, folder
        self._parts: tuple[str | Clip, ...] | None = None
        self._asked: Mapping[str, object] | None = None
        super().__init__(
            session,
            id=str(record["id"]),
            number=number,
            asked_at=_moment(record.get("asked_at")),
            settings=restored_settings(_mapping(record.get("settings")))[0],
            cell=_cell(record.get("cell")),
        )
        self._raw = None
        self._shared = bool(record.get("shared"))
        self._in_pad, self._listened = bool(record.get("in_pad")), bool(record.get("listened"))
        self._request = story.request
        if story.ended:
            self._restore_tools(record, story.requests)
            self._restore_end(record)
        else:
            self._restore_half(story)
        for sound in self._sounds_of(record):
            path = sound_path(folder, sound)
            if path is None or not path.is_file():
                self._note(_missing(sound))
        self._wake()

    @property
    def badge(self) -> str:
        """What answered in the service's place then; this session may ask another one."""
        told = self._record.get("badge")
        return told if isinstance(told, str) else super().badge

    @property
    def cost(self) -> Cost:
        """What the turn cost when it was asked; prices may have changed since."""
        if "cost_usd" not in self._record:
            return super().cost
        return Cost(
            self._record["cost_usd"],
            estimated=bool(self._record.get("cost_estimated")),
            note=self._record.get("cost_note"),
            parts=_cost_parts(self._record.get("cost_parts")),
        )

    @property
    def _input(self) -> tuple[str | Clip, ...]:
        if self._parts is None:
            parts = [self._part(part) for part in self._record.get("input") or ()]
            self._parts = tuple(part for part in parts if part is not None)
        return self._parts

    @_input.setter
    def _input(self, parts: tuple[str | Clip, ...]) -> None:
        self._parts = parts or None

    @property
    def _message(self) -> Mapping[str, object] | None:
        if self._asked is None:
            try:
                self._asked = user_message(self._input)
            except UsageError:
                return None  # its sound is gone and nobody wrote down its words
        return self._asked

    @_message.setter
    def _message(self, message: Mapping[str, object] | None) -> None:
        self._asked = message

    def _restore_end(self, record: Record) -> None:
        reply = _mapping(record.get("reply"))
        self._reply = self._restored_reply(reply)
        for index, choice in enumerate(record.get("choices") or (), 1):
            self._reply.others[index] = self._restored_reply(_mapping(choice))
        self._request_id = record.get("request_id")
        self._timing = _timing(record.get("timing"))
        self._rungs = MappingProxyType(dict(_mapping(record.get("rungs"))))
        for sentence in record.get("notices") or ():
            self._note(str(sentence))
        error = error_from(record.get("error"))
        if error is not None:
            error.turn = self
        finish = record.get("finish")
        self._end(cast("Finish", finish if finish in _FINISHES else "failed"), error)
        if self._finish in ("complete", "length"):
            self._take_object(self._object_again())
        self._written = True

    def _restore_tools(self, record: Record, requests: Sequence[Request | None]) -> None:
        """The requests before the last one, their replies without sound, and all calls."""
        calls = [ToolCall.from_json(_mapping(call)) for call in record.get("calls") or ()]
        self._calls = tuple(calls)
        trace = Trace.from_json(record.get("trace"), calls)
        self._trace = lambda: trace
        rounds = zip(record.get("rounds") or (), requests, strict=True)
        self._rounds = tuple(
            Round(
                request,
                _mapping(one).get("request_id"),
                self._reply_of_round(_mapping(_mapping(one).get("reply"))),
                Cost(_amount(_mapping(one).get("cost_usd"))),
                tuple(call for call in calls if call.round == number),
                str(_mapping(one).get("correction") or ""),
            )
            for number, (one, request) in enumerate(rounds, 1)
        )
        if self._rounds:
            self._newest = self._reply_of_round(_mapping(record.get("answer")))

    def _reply_of_round(self, record: Record) -> Reply:
        """Its sound is in that of the whole turn, so that only its length is told."""
        sound = {"duration_s": record.get("received_s") or 0.0}
        return self._restored_reply({**record, "sound": sound}, lambda _: None)

    def _restore_half(self, story: TurnStory) -> None:
        """A turn that was being received when the process ended: what came, and how far."""
        spooled = story.spooled
        request = _mapping(spooled.request) if spooled is not None else {}
        params = {name: item for name, item in request.items() if name not in ("model", "messages")}
        finish: Finish = "failed"
        if spooled is not None:
            self._reply = spooled.reply
        if request:
            self._request = KeptRequest(str(request["model"]), tuple(request["messages"]), params)
        reply = self._reply
        if reply.done and reply.tool_calls and "schema" not in self._settings.params:
            finish = "cut"
            self._note(
                "the process that asked this ended while its tools ran; the lines of kind 'tool' "
                "in the journal have what was run, ask again for the answer"
            )
        elif reply.done and reply.error is None:
            finish = finish_of(reply, params, self.model)
            spoken = any(part.get("kind") == "sound" for part in story.record.get("input") or ())
            for sentence in notices_of(reply, finish, params, spoken=spoken):
                self._note(sentence)
            found, failed = parse(self)
            self._take_object(found)
            if failed:
                self._note(failed)
        elif has_content(reply):
            finish = "cut"
            self._note(
                "the process that asked this ended in the middle of the reply; what had come is "
                "here, ask again for the rest"
            )
        else:
            self._note(
                "the process that asked this ended before anything of the reply had come; ask again"
            )
        self._end(finish, None)

    def _restored_reply(
        self, record: Record, load: Callable[[Record], Clip | None] | None = None
    ) -> Reply:
        reply = RestoredReply(_mapping(record.get("sound")), load or self._load)
        for name in _PLAIN_FIELDS:
            if record.get(name) is not None:
                setattr(reply, name, record[name])
        rate_hz = _mapping(record.get("sound")).get("sample_rate_hz")
        if isinstance(rate_hz, int):
            reply.sample_rate_hz = rate_hz
        if record.get("usage") is not None:
            reply.usage = Usage.from_json(record["usage"])
        reply.tool_calls = [_tool_call(_mapping(call)) for call in record.get("tool_calls") or ()]
        logprobs = record.get("logprobs")
        if isinstance(logprobs, list):
            reply.logprobs = ReplyLogprobs()
            for raw in logprobs:
                reply.logprobs.append(msgspec.json.encode(raw))
        reply.word_pieces = [(int(end), float(s)) for end, s in record.get("word_pieces") or ()]
        reply.error = error_from(record.get("error"))
        return reply

    def _object_again(self) -> Parsed:
        """The object, by the call that gave it: its class, and with it its name, is not known."""
        told = self._record.get("parsed_error")
        if isinstance(told, str):
            error, _, text = told.partition(WROTE)
            return Parsed(None, error, text)
        schema = self._settings.params.get("schema")
        own = [call for call in self._calls if call.result_text == call.arguments_text]
        if isinstance(schema, Schema) and own and own[-1].state == "done":
            return read_object(own[-1].arguments_text, schema)
        return parse(self)[0]

    def _part(self, part: Record) -> str | Clip | None:
        if part.get("kind") == "text":
            return str(part.get("text") or "")
        clip = self._load(part)
        if clip is not None:
            return clip
        # What was heard of it stands for it; without that, nothing does.
        heard = self._record.get("heard")
        return heard if isinstance(heard, str) and heard.strip() else None

    def _load(self, sound: Record) -> Clip | None:
        path = sound_path(self._folder, sound)
        try:
            flac = path.read_bytes() if path is not None else b""
            digest = hashlib.sha256(flac).hexdigest()
            if not flac or (sound.get("sha256") or digest) != digest:
                raise AudioError("it is not the file that was written")
            return Clip.from_bytes(flac)
        except (OSError, AudioError) as error:
            _log.warning("the sound %s of turn %s can't be read: %s", path, self._id, error)
            self._note(_missing(sound))
            return None

    @staticmethod
    def _sounds_of(record: Record) -> list[Record]:
        replies = [_mapping(record.get("reply")), *map(_mapping, record.get("choices") or ())]
        found = [_mapping(part) for part in record.get("input") or () if "file" in _mapping(part)]
        return found + [_mapping(reply["sound"]) for reply in replies if reply.get("sound")]


_PLAIN_FIELDS = (
    "reply_id",
    "model",
    "created",
    "fingerprint",
    "engine",
    "audio_id",
    "transcript",
    "content",
    "refusal",
    "expires_at",
    "finish_reason",
    "heartbeats",
    "done",
)


def restored_settings(record: Record) -> tuple[Settings, list[str]]:
    """Settings as a line has them, and a sentence for each parameter that is none any more."""
    voice, refused = record.get("voice"), []
    settings = Settings(
        model=str(record.get("model") or "unknown"),
        voice=voice if isinstance(voice, (str, Mapping)) else None,
        system=record.get("system"),
        params={},
        budget_usd=_amount(record.get("budget_usd")),
    )
    for name, value in _mapping(record.get("params")).items():
        try:
            settings = settings.changed({name: value})
        except UsageError as error:
            refused.append(f"{name} was set and can't be any more: {error}")
    return settings, refused


def _missing(sound: Record) -> str:
    length = sound.get("duration_s")
    seconds = f"{length:.1f} s of " if isinstance(length, (int, float)) else ""
    return f"{seconds}sound of this turn is missing: the journal has no usable {sound.get('file')}"


def _tool_call(record: Record) -> ReplyToolCall:
    known = {one.name for one in dataclasses.fields(ReplyToolCall)}
    call = {name: item for name, item in record.items() if name in known}
    return ReplyToolCall(**{"index": 0, **call})


def _cost_parts(record: object) -> CostParts:
    kept = {name: _mapping(part) for name, part in _mapping(record).items()}
    parts = {
        name: CostPart(int(_amount(part.get("tokens")) or 0), _amount(part.get("usd")))
        for name, part in kept.items()
        if name in CostParts._fields
    }
    return CostParts(**parts)


def _amount(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and value >= 0 else None


def _timing(record: object) -> Timing:
    known = {one.name for one in dataclasses.fields(Timing)}
    return Timing(**{name: item for name, item in _mapping(record).items() if name in known})


def _cell(record: object) -> Cell | None:
    found = _mapping(record)
    if not isinstance(found.get("id"), str):
        return None
    count = found.get("execution_count")
    return Cell(found["id"], count if isinstance(count, int) else None)


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _mapping(value: object) -> Record:
    return value if isinstance(value, Mapping) else {}
