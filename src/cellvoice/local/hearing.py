"""The newest message in words: what was written, and what an ear makes of what was said."""

from __future__ import annotations

from dataclasses import dataclass

from cellvoice.audio import Clip

from .ears import Ear, Heard
from .messages import Message
from .sound import ear_samples

__all__ = ["Understood", "understand"]

_INSTALL = "Install cellvoice[engine], or type the question."
_NOT_SPEECH = {
    "silence": "I heard nothing. Please speak a little louder, and again.",
    "music": "I heard music or a tone, and no speech. Please ask again without it.",
    "noise": "I heard noise, and no speech. Please ask again where it is quieter.",
}


@dataclass(frozen=True, slots=True)
class Understood:
    """`question` is all words; `heard` those that were spoken, or None without any transcript.

    `notice` is what to say instead of an answer when the question could not be understood, and
    `sound` what kind of sound it was ("speech", "silence", "music", "noise"), None without any.
    """

    question: str
    heard: str | None = None
    notice: str | None = None
    sound: str | None = None


def understand(ear: Ear, message: Message | None) -> Understood:
    """Hear the sounds of a message. Raises EngineError when the ear fails."""
    words: list[str] = []
    heard: list[Heard] = []
    for part in message.parts if message else ():
        if not isinstance(part, Clip):
            words.append(part)
            continue
        heard.append(ear.hear(ear_samples(part)))
        words.append(heard[-1].text or "")
    question = " ".join(word for word in words if word)
    if not heard:
        return Understood(question)
    sound = next((each.kind for each in heard if each.kind == "speech"), heard[0].kind)
    deaf = next((each for each in heard if each.text is None), None)
    if deaf is not None:
        return Understood(question, None, _not_transcribed(ear, deaf), sound)
    transcript = " ".join(each.text for each in heard if each.text)
    nothing = _NOT_SPEECH.get(sound, _NOT_SPEECH["silence"])
    return Understood(question, transcript, None if question else nothing, sound)


def _not_transcribed(ear: Ear, heard: Heard) -> str:
    if ear.part == "phrases":
        return (
            f"I heard {heard.speech_s:.1f} s of speech, not transcribed: it was none of the "
            f"questions that I know by their sound. {_INSTALL}"
        )
    return (
        f"I heard {heard.speech_s:.1f} s of speech, not transcribed: no recogniser is installed. "
        f"{_INSTALL}"
    )
