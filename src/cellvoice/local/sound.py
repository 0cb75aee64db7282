"""The engine's sound in and out, as the service takes it and gives it."""

from __future__ import annotations

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from cellvoice.audio import Clip, sniff
from cellvoice.errors import AudioError

__all__ = [
    "INPUT_FORMATS",
    "OUTPUT_FORMATS",
    "OUTPUT_RATE_HZ",
    "TOKEN_SAMPLES",
    "decoded",
    "ear_samples",
    "encoded",
]

INPUT_FORMATS = ("wav", "mp3")
OUTPUT_FORMATS = ("wav", "mp3", "flac", "opus", "pcm16")
OUTPUT_RATE_HZ = 24_000
TOKEN_SAMPLES = 1_200  # one audio token is 50 ms, measured in every recording


def decoded(data: str, format_name: str) -> Clip:
    """The sound of an `input_audio` part. Raises AudioError for bytes that are not that format."""
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AudioError("the sound is not base64") from error
    if sniff(raw) != format_name:
        raise AudioError(f"the bytes are not {format_name}")
    return Clip.from_bytes(raw, format_name)


def ear_samples(clip: Clip) -> NDArray[np.float32]:
    """The clip at 16 kHz in −1…1, as the ears want it."""
    samples = clip.resampled(16_000).samples
    if samples.dtype == np.int16:
        return np.asarray(samples, dtype=np.float32) / np.float32(32768)
    return np.asarray(samples, dtype=np.float32)


def encoded(pcm: bytes, format_name: str) -> bytes:
    """24 kHz pcm16 in one of the service's formats."""
    if format_name == "pcm16":
        return pcm
    return Clip.from_pcm16(pcm, OUTPUT_RATE_HZ).to_bytes(format_name)
