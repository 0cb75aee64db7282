"""Recordings on their way from the browser: on disk from the first frame on."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cellvoice.audio import Clip
from cellvoice.errors import AudioError

from ._loudness import warning

_log = logging.getLogger(__name__)

# The page makes the name, and it becomes a file's name.
_TAKE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

# Half an hour at 24 kHz is 86 MB, far above what the service takes in one message.
LONGEST_TAKE_S = 1_800
LARGEST_UPLOAD_BYTES = 64 * 1024 * 1024
_RATES_HZ = range(8_000, 192_001)

# How many bars of waveform the page draws.
_PEAK_COUNT = 96


@dataclass(frozen=True, slots=True)
class Ready:
    """A finished take as the page is told of it; `sentence` warns, or is ""."""

    take: str
    duration_s: float
    peaks: list[float]
    sentence: str

    def form(self) -> dict[str, object]:
        return {
            "take": self.take,
            "duration_s": self.duration_s,
            "peaks": self.peaks,
            "sentence": self.sentence,
        }


@dataclass(slots=True)
class _Open:
    """A take that is being recorded."""

    page: str
    sample_rate_hz: int
    file: BinaryIO
    next_frame: int = 0
    missing_frames: int = 0
    # Why the disk did not take it; what was received is in memory then.
    trouble: str = ""

    def write(self, start_frame: int, pcm: bytes) -> None:
        """Put some frames in their place; in memory from the moment on that the disk refuses."""
        try:
            self._write(start_frame * 2, pcm)
        except OSError as error:
            self.trouble = error.strerror or type(error).__name__
            kept = io.BytesIO()
            with contextlib.suppress(OSError):
                self.file.seek(0)
                kept.write(self.file.read(self.next_frame * 2))
            with contextlib.suppress(OSError):
                self.file.close()
            self.file = kept
            self._write(start_frame * 2, pcm)

    def _write(self, start_byte: int, pcm: bytes) -> None:
        self.file.seek(start_byte)
        left = memoryview(pcm)
        # A disk that is almost full takes a part, and refuses the next one.
        while left:
            left = left[self.file.write(left) :]

    def close(self) -> bytes:
        """End it; what was received, in order."""
        self.file.seek(0)
        pcm = self.file.read()
        self.file.close()
        return pcm


class Takes:
    """The takes of one widget, in one folder: `<take>.pcm16` with `<take>.json` beside it.

    Used on one thread. What was received stays on disk until it is discarded: a closed tab, a
    stopped cell or a kernel that dies loses at most the frames that were still in the page.
    """

    def __init__(self, folder: Path | Callable[[], Path] | None = None) -> None:
        self._given_folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._open: dict[str, _Open] = {}
        self._finished: dict[str, Clip] = {}

    @property
    def folder(self) -> Path:
        """Where the takes lie; a temporary folder, gone with the process, when none was given."""
        if callable(self._given_folder):
            self._given_folder = self._given_folder()
        if self._given_folder is not None:
            return self._given_folder
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="cellvoice-takes-")
        return Path(self._temporary.name)

    def start(self, page: str, data: Mapping[str, object]) -> None:
        """A recording begins; a second start of the same take is ignored."""
        take, rate_hz = _name(data), data.get("sample_rate_hz")
        if take in self._open or take in self._finished:
            return
        if not isinstance(rate_hz, int) or rate_hz not in _RATES_HZ:
            raise AudioError(f"a recording at {rate_hz!r} Hz, expected 8,000 to 192,000 Hz")
        facts = {"sample_rate_hz": rate_hz, "device": str(data.get("device") or "")[:200]}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._path(take, "json").write_text(json.dumps(facts), encoding="utf-8")
            file = self._path(take, "pcm16").open("w+b", buffering=0)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._open[take] = _Open(page, rate_hz, io.BytesIO(), trouble=reason)
        else:
            self._open[take] = _Open(page, rate_hz, file)

    def frames(self, data: Mapping[str, object], pcm: bytes) -> None:
        """Some frames arrive; each goes to its own place, so a repeat changes nothing."""
        recording = self._open.get(_name(data))
        start = data.get("start_frame")
        if recording is None or not isinstance(start, int) or start < 0:
            return
        count = len(pcm) // 2
        if start + count > LONGEST_TAKE_S * recording.sample_rate_hz:
            return
        recording.write(start, pcm[: count * 2])
        # A gap stays as silence of its own length, so that what follows keeps its time.
        recording.missing_frames += max(0, start - recording.next_frame)
        recording.next_frame = max(recording.next_frame, start + count)

    def stop(self, data: Mapping[str, object]) -> Ready:
        """The recording ends; what lies on disk is the take. AudioError when that is nothing."""
        take = _name(data)
        if take in self._finished:
            return self._ready(take, "")
        frames = data.get("frames")
        return self._finish(take, frames if isinstance(frames, int) else None, "")

    def abandon(self, page: str) -> list[Ready]:
        """Finish what a page was recording when it went away."""
        left = [take for take, recording in self._open.items() if recording.page == page]
        found: list[Ready] = []
        for take in left:
            try:
                found.append(
                    self._finish(take, None, "The page closed while recording; this was kept.")
                )
            except AudioError as error:
                _log.info("a recording was left empty: %s", error)
        return found

    @property
    def recording_pages(self) -> set[str]:
        """The pages that are recording."""
        return {recording.page for recording in self._open.values()}

    def discard(self, data: Mapping[str, object]) -> None:
        """Forget a take and remove it from disk."""
        take = _name(data)
        recording = self._open.pop(take, None)
        if recording is not None:
            recording.file.close()
        if recording is not None or self._finished.pop(take, None) is not None:
            self.remove(take)

    def upload(self, take: str, data: Mapping[str, object], buffers: tuple[bytes, ...]) -> Ready:
        """A file in place of a recording. AudioError says what is wrong with it."""
        content = b"".join(buffers)
        shown = str(data.get("name") or "the file")[:100]
        if len(content) > LARGEST_UPLOAD_BYTES:
            raise AudioError(
                f"{shown} has {len(content) // 1_048_576} MB, expected at most "
                f"{LARGEST_UPLOAD_BYTES // 1_048_576} MB: send a shorter or compressed file"
            )
        clip = Clip.from_bytes(content)
        if clip.duration_s > LONGEST_TAKE_S:
            raise AudioError(
                f"{shown} is longer than {LONGEST_TAKE_S // 60} minutes: send a shorter piece"
            )
        self._finished[take] = clip
        return self._ready(take, "")

    def clip(self, take: object) -> Clip:
        """A finished take as sound. AudioError when there is none of that name."""
        clip = self._finished.get(take) if isinstance(take, str) else None
        if clip is None:
            raise AudioError("this recording is not finished or was discarded: record it again")
        return clip

    def sent(self, take: object) -> None:
        """A take was sent: its turn has the sound now, and its file stays until `remove`."""
        if isinstance(take, str):
            self._finished.pop(take, None)

    def remove(self, take: object) -> None:
        """Remove a take's files, if there are any; its sound is elsewhere, or is not wanted."""
        if not isinstance(take, str) or not _TAKE_NAME.fullmatch(take):
            return
        for ending in ("pcm16", "json"):
            with contextlib.suppress(OSError):
                self._path(take, ending).unlink(missing_ok=True)

    def keep(self) -> list[Path]:
        """End what is being recorded; the files of everything that was recorded, newest last."""
        for recording in self._open.values():
            recording.file.close()
        names = [*self._finished, *self._open]
        self._open.clear()
        paths = [self._path(take, "pcm16") for take in names]
        return [path for path in paths if path.is_file() and path.stat().st_size > 0]

    def _finish(self, take: str, frames: int | None, sentence: str) -> Ready:
        recording = self._open.pop(take, None)
        if recording is None:
            raise AudioError("the kernel knows nothing of this recording: record it again")
        pcm = recording.close()
        if not pcm:
            raise AudioError(
                "nothing was recorded: check that the microphone is on, then record again"
            )
        missing = recording.missing_frames
        if frames is not None:
            missing += max(0, frames - recording.next_frame)
        if missing and not sentence:
            sentence = (
                f"{missing / recording.sample_rate_hz:.2f} s of this recording did not arrive."
            )
        if recording.trouble:
            sentence = (
                f"The disk did not take this recording ({recording.trouble}); it is in memory "
                f"only, so send it now. {sentence}"
            ).strip()
        self._finished[take] = Clip.from_pcm16(pcm, recording.sample_rate_hz)
        return self._ready(take, sentence)

    def _ready(self, take: str, sentence: str) -> Ready:
        clip = self._finished[take]
        said = " ".join(part for part in (sentence, warning(clip)) if part)
        peaks = [round(peak, 2) for peak in clip.peaks(_PEAK_COUNT)]
        return Ready(take, round(clip.duration_s, 3), peaks, said)

    def _path(self, take: str, ending: str) -> Path:
        return self.folder / f"{take}.{ending}"


def _name(data: Mapping[str, object]) -> str:
    take = data.get("take")
    if not isinstance(take, str) or not _TAKE_NAME.fullmatch(take):
        raise AudioError("a recording without a usable name was ignored")
    return take
