"""A request by its meaning: to keep it, and to find it again among those that were kept.

The order of keys, the header of a WAV file and fields that change no answer do not count. An
earlier answer may be named by its audio id or told by its words: after an hour a session has to do
the latter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pybase64

from ._json import NotJSON, as_list, as_mapping, as_text, decode
from .messages import without_voice_hint
from .taped_sound import OTHER, PCM16, Payload, StoredSound, is_sound_name, stored

__all__ = ["SHOWN_CHARS", "Asked", "plain", "shown_parts"]

_DATA_URL: Final = re.compile(r"data:[^,;]*;base64,")
_SHORTEST_SOUND: Final = 64
# They name a person or pad the wire; nobody needs them in a recording.
_NOT_KEPT: Final = ("prompt_cache_key", "safety_identifier", "user")
_OPERATION: Final = re.compile(r"(?:^|/)v1/(.+)$")
_CHAT: Final = "chat/completions"
SHOWN_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """`body` is the request's JSON with `{"sound": name, "seconds": …}` in place of base64."""

    operation: str
    body: Mapping[str, Any]
    sounds: Mapping[str, Payload] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, method: str, path: str, body: bytes) -> Asked:
        """Read a request. A body that is no JSON object is kept as text."""
        try:
            found = decode(body) if body else {}
        except NotJSON:
            found = {"text": body.decode("utf-8", "replace")}
        if not isinstance(found, dict):
            found = {"json": found}
        sounds: dict[str, Payload] = {}
        kept = {name: found[name] for name in found if name not in _NOT_KEPT}
        options = as_mapping(kept.get("stream_options"))
        if "include_obfuscation" in options:
            kept["stream_options"] = {
                name: value for name, value in options.items() if name != "include_obfuscation"
            }
        return cls(f"{method} {_operation(path)}", _without_sound(kept, sounds), sounds)

    def stored_sounds(self) -> Iterator[StoredSound]:
        """The sounds in it, for keeping."""
        for payload in self.sounds.values():
            yield stored(payload.sound, payload.kind, payload.sample_rate_hz)

    @property
    def key(self) -> str:
        """Equal for equal requests."""
        return _key(self.operation, self.body)

    def loose_key(self, words: Mapping[str, str]) -> str:
        """Equal also where an answer is named by its id in one and told by its words in another.

        `words` has the words of each audio id that is known.
        """
        messages = [
            _by_words(message, words)
            for message in map(_unhinted, as_list(self.body.get("messages")))
            if message is not None
        ]
        return _key(self.operation, {**self.body, "messages": messages})

    @property
    def question(self) -> list[str]:
        """What the newest message says, for people: texts, and sounds as `⟨wav 4.2 s⟩`."""
        messages = as_list(self.body.get("messages"))
        return shown_parts(messages[-1]) if messages else []


def _unhinted(message: Any) -> Any:
    """A message without the hint that goes with such words; None if it was all of it."""
    found = as_mapping(message)
    content = found.get("content")
    if found.get("role") != "system" or not isinstance(content, str):
        return message
    told = without_voice_hint(content)
    return {**found, "content": told} if told or told == content else None


def _operation(path: str) -> str:
    # Servers put the same operation below different addresses.
    if path.endswith(f"/{_CHAT}"):
        return _CHAT
    found = _OPERATION.search(path)
    return found[1] if found else path.lstrip("/")


def _without_sound(value: Any, sounds: dict[str, Payload]) -> Any:
    if isinstance(value, list):
        return [_without_sound(item, sounds) for item in value]
    if not isinstance(value, dict):
        return value
    shown = {}
    for name, item in value.items():
        payload = None
        if isinstance(item, str):
            payload = _payload(name, item, value.get("format"))
        if payload is None:
            shown[name] = _without_sound(item, sounds)
            continue
        sounds[payload.name] = payload
        shown[name] = {"sound": payload.name, **_length(payload)}
    return shown


def _payload(name: str, text: str, format_named: object) -> Payload | None:
    base64 = _DATA_URL.sub("", text[:200], count=1) + text[200:]
    if len(text) < _SHORTEST_SOUND or (name != "data" and len(base64) == len(text)):
        return None
    try:
        data = pybase64.b64decode(base64, validate=True)
    except ValueError:
        return None
    if not data:
        return None
    payload = Payload.of(data)
    if payload.kind == PCM16 and not payload.head and format_named != PCM16:
        return Payload(OTHER, 0, b"", data, b"")  # nobody says that these are samples
    return payload


def _length(payload: Payload) -> dict[str, float | int]:
    if payload.seconds is None:
        return {"bytes": len(payload.sound)}
    return {"seconds": round(payload.seconds, 3)}


def _key(operation: str, body: object) -> str:
    return f"{operation} {json.dumps(plain(body), sort_keys=True, ensure_ascii=False)}"


def plain(value: Any) -> Any:
    """The value with one form for what JSON can write in two."""
    if isinstance(value, dict):
        if is_sound_name(value.get("sound")):
            return {"sound": value["sound"]}
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _by_words(message: Any, words: Mapping[str, str]) -> Any:
    audio = as_mapping(as_mapping(message).get("audio"))
    told = words.get(as_text(audio.get("id")))
    return {"role": "assistant", "content": told} if told else message


def shown_parts(message: Any) -> list[str]:
    """What a message says, for people."""
    content = as_mapping(message).get("content")
    audio = as_mapping(as_mapping(message).get("audio"))
    if audio:
        return [f"the spoken answer {audio.get('id')}"]
    if isinstance(content, str):
        return [_short(content)]
    shown = []
    for part in as_list(content):
        sound = as_mapping(as_mapping(as_mapping(part).get("input_audio")).get("data"))
        if "seconds" in sound:
            shown.append(f"⟨wav {sound['seconds']:.1f} s⟩")
        elif "sound" in sound:
            shown.append(f"⟨{sound['sound'].rpartition('.')[2]} {sound.get('bytes', 0):,} bytes⟩")
        else:
            text = as_mapping(part).get("text")
            shown.append(_short(text) if isinstance(text, str) else f"⟨{part}⟩"[:SHOWN_CHARS])
    return shown


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return f"“{one_line if len(one_line) <= SHOWN_CHARS else one_line[: SHOWN_CHARS - 1] + '…'}”"
