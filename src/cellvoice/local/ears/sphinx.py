"""The ear that understands words: pocketsphinx in a process of its own.

pocketsphinx holds the interpreter's lock while it decodes (seconds, for a long recording), so it
must not live in a process that streams sound.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellvoice.errors import EngineError

from . import Heard
from .kinds import kind_of, speech_seconds

__all__ = ["SphinxEar"]

_PEAK = 0.5
_NOISE = 60 / 32768
_MARGIN = 4_000  # 0.25 s
_SEED = 1
_TIMEOUT_S = 60.0
_BYTES_PER_S = 32_000


class SphinxEar:
    """Hears English; asks its worker, and starts a new worker if the old one has died."""

    part = "sphinx"

    def __init__(self, corpus_path: Path | None = None) -> None:
        self.label = f"pocketsphinx {importlib.metadata.version('pocketsphinx')}"
        self._corpus_path = corpus_path
        self._worker: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The worker's process id, or None."""
        worker = self._worker
        return worker.pid if worker is not None and worker.poll() is None else None

    def warm_up(self) -> None:
        """Start the worker; it loads its models without being waited for."""
        with self._lock:
            self._running()

    def hear(self, samples: NDArray[np.float32]) -> Heard:
        """The words in mono samples at 16 kHz. Raises EngineError when the worker died twice."""
        kind = kind_of(samples)
        if kind != "speech":
            return Heard("", 0.0, kind)
        seconds = speech_seconds(samples)
        pcm = _prepared(samples).tobytes()
        with self._lock:
            for attempt in (1, 2):
                try:
                    return Heard(self._ask(pcm), seconds)
                except (OSError, ValueError) as error:
                    self._end()
                    if attempt == 2:
                        raise EngineError(
                            "the speech recogniser ended twice on this recording; "
                            "type the question, or try a shorter recording"
                        ) from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            self._end()

    def _ask(self, pcm: bytes) -> str:
        worker = self._running()
        assert worker.stdin is not None
        assert worker.stdout is not None
        # A worker that never answers is ended, which ends the read below too.
        patience_s = _TIMEOUT_S + 3 * len(pcm) / _BYTES_PER_S
        watchdog = threading.Timer(patience_s, worker.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            worker.stdin.write(len(pcm).to_bytes(4, "little") + pcm)
            worker.stdin.flush()
            line = worker.stdout.readline()
        finally:
            watchdog.cancel()
        answer: dict[str, Any] = json.loads(line)  # an empty line is a ValueError: it has died
        return str(answer["text"])

    def _running(self) -> subprocess.Popen[bytes]:
        if self._worker is None or self._worker.poll() is not None:
            self._end()
            command = [sys.executable, "-m", "cellvoice.local.ears.worker"]
            if self._corpus_path is not None:
                command.append(str(self._corpus_path))
            self._worker = subprocess.Popen(
                command,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # small arrays: see __main__.py
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._worker

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.kill()
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass  # it died with our last bytes still unsent
        worker.wait()


def _prepared(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Level the sound and lay a small seeded noise under it.

    The acoustic model was trained on rooms: digital silence makes it twice as often wrong. The
    noise is the same each time, so the same recording always gives the same words.
    """
    peak = float(np.max(np.abs(samples))) or 1.0
    margin = np.zeros(_MARGIN, dtype=np.float32)
    padded = np.concatenate([margin, samples * (_PEAK / peak), margin])
    noise = np.random.default_rng(_SEED).normal(0.0, _NOISE, padded.shape[0])
    return np.asarray(np.clip(padded + noise, -1.0, 1.0) * 32767, dtype="<i2")
