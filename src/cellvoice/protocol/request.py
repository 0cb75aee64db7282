"""A request as a value: what is sent, and what may be shown of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from cellvoice.errors import UsageError

from ._sound_words import sound_words
from .models import facts
from .params import Tokenize, check, check_all, sent_fields
from .sent_sound import SentSound, json_ready

__all__ = ["Request", "build_request"]

_STREAM_FORMAT = "pcm16"
_WHOLE_FORMAT = "wav"
# Stands for a sound while the rest of the body is written; of letters that nobody types.
_SOUND_MARK = "\ue000sound\ue001"


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the service, complete. Equal requests send equal bytes."""

    model: str
    messages: tuple[Mapping[str, object], ...]
    params: Mapping[str, object]

    @property
    def streams(self) -> bool:
        """Whether the reply is asked for piece by piece."""
        return self.params.get("stream") is True

    def to_dict(self) -> dict[str, object]:
        """The request as the JSON object that is sent; a copy that the caller may change."""
        found = json_ready({"model": self.model, "messages": self.messages, **self.params})
        assert isinstance(found, dict)
        return found

    def body(self) -> bytes:
        """The bytes that are sent."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """The bytes that are sent, in turn; sound is written as base64 while it goes out."""
        for part in self._parts():
            if isinstance(part, SentSound):
                yield from part.pieces()
            else:
                yield part

    @property
    def content_length(self) -> int:
        """How many bytes are sent."""
        return sum(map(len, self._parts()))

    def described(self) -> dict[str, object]:
        """The request to look at or keep: as `to_dict`, sound shown as `⟨wav 4.2 s⟩`."""
        shown = _without_sound({"model": self.model, "messages": self.messages, **self.params})
        assert isinstance(shown, dict)
        return shown

    def _parts(self) -> list[bytes | SentSound]:
        """The body's JSON text around its sounds."""
        whole = {"model": self.model, "messages": self.messages, **self.params}
        mark = _SOUND_MARK
        while True:
            sounds: list[SentSound] = []
            text = msgspec.json.encode(whole, enc_hook=_marking(sounds, mark))
            around = text.split(mark.encode())
            if len(around) == len(sounds) + 1:
                break
            mark += _SOUND_MARK  # somebody said the mark: say it longer than they did
        parts: list[bytes | SentSound] = [around[0]]
        for sound, after in zip(sounds, around[1:], strict=True):
            parts += [sound, after]
        return parts


def build_request(
    *,
    model: str,
    messages: Iterable[Mapping[str, object]],
    voice: str | Mapping[str, object] | None = None,
    params: Mapping[str, object] | None = None,
    stream: bool = True,
    tokenize: Tokenize | None = None,
) -> Request:
    """Make a request of what was set, and of nothing else.

    With a `voice` (a name, or `{"id": …}` of a custom one; also as a parameter) the reply is
    spoken, without it written, as it is with `modalities=["text"]`. A `format` that can't be
    streamed asks for the reply in one piece, whatever `stream` says; `tokenize` finds the tokens of
    words in `logit_bias`. Raises UsageError for an unknown parameter, a value out of range, no
    messages, or a request without any sound to a model that refuses such.
    """
    checked_model = _checked_model(model)
    said = tuple(copy.deepcopy(dict(message)) for message in messages)
    if not said:
        raise UsageError("there are no messages, expected at least one")
    checked = check_all(params or {})
    if voice is not None:
        checked["voice"] = check("voice", voice)
    stream = stream and checked.get("format", _STREAM_FORMAT) == _STREAM_FORMAT
    sent = _sound_fields(checked, stream)
    if "audio" not in sent and _needs_audio(checked_model) and not any(map(_has_sound, said)):
        raise UsageError(
            f"{model} takes no request without sound: set a voice to hear the answer, "
            "or send a Clip"
        )
    sent.update(sent_fields(checked, checked_model, tokenize))
    if stream:
        sent["stream"] = True
        # Obfuscation pads every event with random text against eavesdroppers of its length.
        sent["stream_options"] = {"include_usage": True, "include_obfuscation": False}
    extra = checked.get("extra_body", {})
    assert isinstance(extra, Mapping)
    return Request(checked_model, said, {**sent, **extra})


def _sound_fields(checked: Mapping[str, object], stream: bool) -> dict[str, object]:
    """`modalities` and `audio`: a voice means a spoken answer unless `modalities` says written."""
    voice, modalities = checked.get("voice"), checked.get("modalities")
    if modalities is not None and "audio" not in modalities:  # type: ignore[operator]
        return {"modalities": modalities}
    if voice is None:
        if modalities is not None:
            raise UsageError("modalities asks for sound and there is no voice; set voice='alloy'")
        return {}
    kind = checked.get("format") or (_STREAM_FORMAT if stream else _WHOLE_FORMAT)
    return {"modalities": ["text", "audio"], "audio": {"voice": voice, "format": kind}}


def _checked_model(model: object) -> str:
    if not isinstance(model, str) or not model.strip():
        raise UsageError(f"model={model!r}: expected a name such as 'gpt-audio'")
    return model


def _needs_audio(model: str) -> bool:
    known = facts(model)
    return known is not None and known.needs_audio


def _has_sound(message: Mapping[str, object]) -> bool:
    if "audio" in message:
        # Whether an earlier spoken answer is sound enough is not known; the service decides.
        return True
    content = message.get("content")
    return isinstance(content, list) and any(
        isinstance(part, Mapping) and part.get("type") == "input_audio" for part in content
    )


def _marking(sounds: list[SentSound], mark: str) -> Callable[[object], object]:
    def instead(value: object) -> object:
        if not isinstance(value, SentSound):
            raise NotImplementedError  # msgspec then tells which type it cannot write
        sounds.append(value)
        return mark

    return instead


def _without_sound(value: object) -> object:
    if isinstance(value, SentSound):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return [_without_sound(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if isinstance(value.get("data"), str) and isinstance(value.get("format"), str):
        return {**value, "data": _sound_in_words(value["data"], value["format"])}
    return {name: _without_sound(item) for name, item in value.items()}


def _sound_in_words(data: str, kind: str) -> str:
    return sound_words(data, len(data) * 3 // 4 - data[-2:].count("="), kind)
