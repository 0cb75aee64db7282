"""What the user should know before a request hurts: sentences for its turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cellvoice.protocol.models import ModelFacts, facts

from ._check import nearest
from ._table import PARAMS

__all__ = ["cautions"]

SAFE_TEMPERATURE: Final = 0.6


def cautions(model: str, fields: Mapping[str, object]) -> list[str]:
    """Sentences about what is known to go wrong with such a request to such a model.

    `fields` are those of the request. Nothing is known of a model that is not in `MODELS`, except
    what holds for every model that speaks.
    """
    known = facts(model)
    if known is None:
        return _noise(fields)
    noise = _noise(fields) if known.needs_audio else []
    return [*noise, *_unknown_voice(known, fields), *_refused(model, known, fields)]


def _noise(fields: Mapping[str, object]) -> list[str]:
    temperature = fields.get("temperature")
    if "audio" not in fields or not isinstance(temperature, (int, float)):
        return []
    if temperature >= SAFE_TEMPERATURE:
        return []
    found = [f"temperature={temperature}: {PARAMS['temperature'].warning}"]
    if "max_completion_tokens" not in fields:
        found.append(
            "nothing limits the reply if it does not end by itself; set max_completion_tokens, "
            "a second of speech takes 20 and its words"
        )
    return found


def _unknown_voice(known: ModelFacts, fields: Mapping[str, object]) -> list[str]:
    audio = fields.get("audio")
    voice = audio.get("voice") if isinstance(audio, Mapping) else None
    if not known.voices or not isinstance(voice, str) or voice in known.voices:
        return []
    near = nearest(voice.lower(), known.voices)
    advice = f"did you mean {near!r}?" if near else f"known are {', '.join(known.voices)}"
    return [f"{known.name} is not known to have the voice {voice!r}; {advice}"]


def _refused(model: str, known: ModelFacts, fields: Mapping[str, object]) -> list[str]:
    names = [name for name in known.refused if name in fields]
    if fields.get("response_format") == {"type": "text"}:
        names.remove("response_format")
    if not names:
        return []
    return [f"{model} is known to refuse {' and '.join(names)}: {known.refused[names[0]]}"]
