"""The espeak-ng library, through ctypes, from the optional package `espeakng-loader`.

espeak-ng is GPL-3.0-or-later and is not shipped with this project: see docs/engine.md.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from cellvoice.errors import EngineError

from . import Spoken
from ._timbres import ESPEAK_VOICES, WORDS_PER_MINUTE
from .times import word_times

__all__ = ["EspeakVoice"]

# Give samples to the callback, play nothing, and be done when the call returns. The other modes
# leave the work to a thread of the library's own, and the library must not be unloaded under it.
_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000  # a failure must not end the process
_RATE_PARAMETER = 1
_UTF8 = 1
_SEED = 1
_NO_BUFFER_LIMIT_MS = 0
_LAST_EVENT, _WORD_EVENT = 0, 1
_QUIET = 64  # of 32767; below it a voice has ended


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h; positions count characters from 1, samples from 0."""

    _fields_ = (
        ("kind", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


_lock = threading.Lock()


class EspeakVoice:
    """Speaks with espeak-ng's library; the same text always gives the same samples.

    The library keeps a flutter phase in a static, so a second utterance would differ from the
    first. It is loaded anew for each utterance (8 to 16 ms) and its noise is seeded, which makes
    it repeatable bit for bit. All its state belongs to the process, and so does the lock.
    """

    part = "espeak"

    def __init__(self) -> None:
        import espeakng_loader

        self._library_path = str(espeakng_loader.get_library_path())
        self._data_path = str(espeakng_loader.get_data_path()).encode()
        self.label = f"espeak-ng {self._version()}"

    def speak(self, text: str, voice: str) -> NDArray[np.int16]:
        """One sentence as mono samples at 24 kHz. Raises EngineError when the library fails."""
        return self.timed(text, voice).samples

    def timed(self, text: str, voice: str) -> Spoken:
        """The same, with the words' times. Raises EngineError when the library fails."""
        with _lock:
            samples, rate_hz, marks = self._utter(text, ESPEAK_VOICES[voice])
        loud = np.flatnonzero(np.abs(samples) > _QUIET)
        end_s = float(loud[-1] + 1 if loud.size else samples.shape[0]) / rate_hz
        starts = [(at, sample / rate_hz) for at, sample in marks]
        resampled = np.asarray(soxr.resample(samples, rate_hz, 24_000), dtype=np.int16)
        return Spoken(resampled, word_times(text, starts, end_s))

    def _utter(
        self, text: str, espeak_name: str
    ) -> tuple[NDArray[np.int16], int, list[tuple[int, int]]]:
        """Samples, their rate, and for each word that is told its first character and sample."""
        library = ctypes.CDLL(self._library_path)
        try:
            rate_hz = library.espeak_Initialize(
                _SYNCHRONOUS, _NO_BUFFER_LIMIT_MS, self._data_path, _DONT_EXIT
            )
            if rate_hz <= 0:
                raise EngineError(
                    "espeak-ng did not start from the espeakng-loader package; reinstall it with "
                    "pip install --force-reinstall espeakng-loader"
                )
            # Breathy voices draw noise from a generator that starts from the clock, to the second.
            library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
            pieces: list[bytes] = []
            marks: list[tuple[int, int]] = []

            def collect(wav: object, count: int, events: Any) -> int:
                if wav and count > 0:
                    pieces.append(ctypes.string_at(wav, 2 * count))  # type: ignore[arg-type]
                at = 0
                while events and events[at].kind != _LAST_EVENT:
                    if events[at].kind == _WORD_EVENT:
                        marks.append((events[at].text_position - 1, events[at].sample))
                    at += 1
                return 0

            callback = _Callback(collect)  # kept in a name until the library is done with it
            library.espeak_SetSynthCallback(callback)
            if library.espeak_SetVoiceByName(espeak_name.encode()) != 0:
                raise EngineError(f"espeak-ng has no voice {espeak_name!r}; choose another voice")
            library.espeak_SetParameter(_RATE_PARAMETER, WORDS_PER_MINUTE, 0)
            said = text.encode()
            library.espeak_Synth(said, len(said) + 1, 0, 0, 0, _UTF8, None, None)
        finally:
            library.espeak_Terminate()
            _unload(library)
        return np.frombuffer(b"".join(pieces), dtype=np.int16), int(rate_hz), marks

    def _version(self) -> str:
        with _lock:
            return self._read_version()

    def _read_version(self) -> str:
        library = ctypes.CDLL(self._library_path)
        try:
            library.espeak_Info.restype = ctypes.c_char_p
            text: bytes = library.espeak_Info(None) or b"?"
        finally:
            _unload(library)  # a handle left open would keep the statics alive
        return ".".join(text.decode(errors="replace").split("-")[0].split()[0].split(".")[:2])


def _unload(library: ctypes.CDLL) -> None:
    """Forget the library with all its statics."""
    handle = library._handle
    if sys.platform == "win32":
        free = ctypes.windll.kernel32.FreeLibrary
        free.argtypes = [ctypes.c_void_p]
        free(handle)
        return
    close = ctypes.CDLL(None).dlclose
    close.argtypes = [ctypes.c_void_p]
    close(handle)
