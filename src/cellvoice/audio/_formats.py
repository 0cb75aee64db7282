"""Sound files: reading them, writing them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from cellvoice.errors import AudioError

from ._kinds import FORMATS, sniff
from ._wav import read_wav, wav_header

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32] | npt.NDArray[np.int16]

_READABLE = "WAV, FLAC, MP3, Ogg Opus or Ogg Vorbis"
_NOT_SOUND = (
    (0, b"\x1aE\xdf\xa3", "WebM"),
    (4, b"ftyp", "MP4 or M4A"),
    (0, b"#!AMR", "AMR"),
    (0, b"<", "a web page or XML"),
    (0, b"{", "JSON"),
)
# The rates each encoder takes; WAV, FLAC and Vorbis take any that occurs.
_OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
_MP3_RATES_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_ENCODER_RATES_HZ = {"opus": _OPUS_RATES_HZ, "mp3": _MP3_RATES_HZ}
_SUBTYPES = {
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "opus": ("OGG", "OPUS"),
    "ogg": ("OGG", "VORBIS"),
}
# libsndfile's Vorbis encoder keeps a whole write on the stack and dies of long ones.
_BLOCK_FRAMES = 65_536


def decode(data: bytes) -> tuple[Samples | npt.NDArray[np.generic], int]:
    """Read a sound file into samples, `(frames,)` or `(frames, channels)`, and its rate in Hz.

    16-bit sound stays int16, everything else becomes float32. Raises AudioError.
    """
    if not data:
        raise AudioError(f"there are no bytes to read, expected a sound file: {_READABLE}")
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        parts = read_wav(data)
        if parts.is_pcm16:
            samples = np.frombuffer(parts.payload, "<i2")
            shaped = samples.reshape(-1, parts.channels) if parts.channels > 1 else samples
            return shaped, parts.sample_rate_hz
        data = parts.rebuilt()
    return _decode_by_libsndfile(data)


def _decode_by_libsndfile(data: bytes) -> tuple[Samples | npt.NDArray[np.generic], int]:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            dtype = "int16" if file.subtype == "PCM_16" else "float32"
            samples: npt.NDArray[np.generic] = file.read(dtype=dtype)
            return samples, file.samplerate
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        raise AudioError(_unreadable(data)) from error


def _unreadable(data: bytes) -> str:
    known = sniff(data)
    if known is not None:
        return f"this {known.upper()} file is damaged or cut off too early; save it again"
    start = data.lstrip()[:16]
    for offset, mark, name in _NOT_SOUND:
        if start[offset : offset + len(mark)] == mark:
            return f"this is {name}, expected {_READABLE}; convert it first"
    return (
        f"these {len(data):,} bytes are no known sound file, expected {_READABLE}; "
        "for headerless samples use Clip.from_pcm16"
    )


def encode(samples: Samples, sample_rate_hz: int, kind: str) -> bytes:
    """Write mono samples as a sound file.

    `wav` and `flac` hold 16 bits a sample. A rate that the encoder of `mp3` or `opus` does not
    know is raised to the next that it does. Raises AudioError for an unknown format.
    """
    from ._convert import resample, to_float32, to_int16

    if kind not in FORMATS:
        raise AudioError(f"unknown sound format {kind!r}, expected one of {', '.join(FORMATS)}")
    if kind == "wav":
        sound = to_int16(samples).astype("<i2", copy=False).tobytes()
        return wav_header(sample_rate_hz, len(sound)) + sound
    import soundfile

    rates_hz = _ENCODER_RATES_HZ.get(kind)
    if rates_hz is not None and sample_rate_hz not in rates_hz:
        rate_hz = next((known for known in rates_hz if known > sample_rate_hz), rates_hz[-1])
        samples, sample_rate_hz = resample(to_float32(samples), sample_rate_hz, rate_hz), rate_hz
    sound_16_or_32 = to_int16(samples) if kind == "flac" else to_float32(samples)
    container, subtype = _SUBTYPES[kind]
    # Variable bit rate keeps the length exact, which constant bit rate does not.
    options = {"bitrate_mode": "VARIABLE"} if kind == "mp3" else {}
    buffer = io.BytesIO()
    try:
        with soundfile.SoundFile(
            buffer, "w", sample_rate_hz, 1, subtype, format=container, **options
        ) as file:
            for start in range(0, len(sound_16_or_32), _BLOCK_FRAMES):
                file.write(sound_16_or_32[start : start + _BLOCK_FRAMES])
    except soundfile.SoundFileError as error:
        raise AudioError(
            f"sound at {sample_rate_hz:,} Hz cannot be written as {kind}; "
            "resample it to 24,000 Hz first"
        ) from error
    return buffer.getvalue()
