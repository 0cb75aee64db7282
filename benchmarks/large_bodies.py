"""CPU and peak memory of long sound, received and sent, and the memory of a stream.

Every sample is taken in a process of its own (`_child.py` says how). Received: ten minutes of WAV
in one reply that is not streamed. Sent: a recording of 120 s that is in memory already, here as a
Clip, there as the bytes of a WAV file; the answer is short.
"""

from __future__ import annotations

import sys

from _child import RECORDING_S, spent_by
from _replies import silent_wav, sound_bytes
from _rig import Row, at_least, at_most, for_information, options, report
from _server import served

WHOLE_S = 600
STREAMED_S = (60, 600)
MB = 1_000_000


def received(base_url: str, rounds: int) -> list[Row]:
    """One large reply that is not streamed."""
    spent = spent_by(["ours listens", "openai listens"], f"whole-{WHOLE_S}", base_url, rounds)
    ours, openai = spent["ours listens"], spent["openai listens"]
    words = f"{WHOLE_S // 60} minutes of WAV in one reply"
    return [
        at_least(3, f"{words}, CPU", ours.cpu_ms, openai.cpu_ms),
        at_most(0.4, f"{words}, peak", ours.peak_bytes / MB, openai.peak_bytes / MB, "MB"),
    ]


def sent(base_url: str, rounds: int) -> list[Row]:
    """One large question."""
    spent = spent_by(["ours sends", "openai sends"], "written-10", base_url, rounds)
    ours, openai = spent["ours sends"], spent["openai sends"]
    wire_bytes = -(-len(silent_wav(RECORDING_S)) // 3) * 4
    words = f"{RECORDING_S} s of WAV sent"
    return [
        at_least(5, f"{words}, CPU", ours.cpu_ms, openai.cpu_ms),
        at_most(2, f"{words}, peak beside its base64", ours.peak_bytes / MB, wire_bytes / MB, "MB"),
        for_information(
            f"{words}, peak beside openai-python's",
            ours.peak_bytes / MB,
            openai.peak_bytes / MB,
            "MB",
        ),
    ]


def streamed(base_url: str, rounds: int) -> list[Row]:
    """What a stream takes besides the sound that it brought."""
    rows = []
    for seconds in STREAMED_S:
        spent = spent_by(["ours listens"], f"spoken-{seconds}", base_url, rounds)
        more_mb = (spent["ours listens"].peak_bytes - sound_bytes(seconds)) / MB
        shown = (f"{more_mb:.1f} MB", f"{sound_bytes(seconds) / MB:.1f} MB of sound", "–")
        words = f"stream of {seconds} s, peak beyond its sound"
        rows.append(Row(words, *shown, "< 4 MB", more_mb < 4))
    return rows


def main() -> int:
    """Measure and print."""
    given = options(__doc__, rounds=5)
    with served() as base_url:
        rows = [
            *received(base_url, given.rounds),
            *sent(base_url, given.rounds),
            *streamed(base_url, 3),
        ]
    return report("large_bodies: CPU and peak memory of one exchange", rows)


if __name__ == "__main__":
    sys.exit(main())
