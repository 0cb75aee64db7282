"""The `espeak-ng` program, when it is installed on the system but the loader package is not."""

from __future__ import annotations

import subprocess

import numpy as np
import soxr
from numpy.typing import NDArray

from cellvoice.errors import EngineError

from . import Spoken
from ._timbres import ESPEAK_VOICES, WORDS_PER_MINUTE

__all__ = ["ProgramVoice"]

_TIMEOUT_S = 30
_WAV_HEADER_BYTES = 44
_RATE_AT = slice(24, 28)


class ProgramVoice:
    """Speaks by running `espeak-ng --stdout`; a fresh process each time, so nothing but
    the noise of breathy voices changes.
    """

    part = "espeak"

    def __init__(self, program: str = "espeak-ng") -> None:
        self._program = program
        said = self._run(["--version"]).decode(errors="replace").split()
        numbers = [word for word in said if word[:1].isdigit()]
        self.label = f"espeak-ng {numbers[0] if numbers else '?'}"

    def speak(self, text: str, voice: str) -> NDArray[np.int16]:
        """One sentence as mono samples at 24 kHz. Raises EngineError when the program fails."""
        name = ESPEAK_VOICES[voice].replace("gmw/en+", "en+")
        wav = self._run(["-v", name, "-s", str(WORDS_PER_MINUTE), "--stdout", "--", text])
        # On a pipe the header's lengths are made up; the payload is what was written.
        samples = np.frombuffer(wav[_WAV_HEADER_BYTES:][: (len(wav) - 44) // 2 * 2], dtype="<i2")
        rate_hz = int.from_bytes(wav[_RATE_AT], "little")
        return np.asarray(soxr.resample(samples, rate_hz, 24_000), dtype=np.int16)

    def timed(self, text: str, voice: str) -> Spoken:
        """The same, without times: the program does not tell them."""
        return Spoken(self.speak(text, voice))

    def _run(self, arguments: list[str]) -> bytes:
        command = [self._program, *arguments]
        try:
            done = subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise EngineError(
                f"the espeak-ng program failed ({error}); reinstall it or "
                "pip install 'cellvoice[engine]'"
            ) from error
        return done.stdout
