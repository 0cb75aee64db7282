"""Whether the time for a byte stays the same when one event is a line of 1 MB."""

from __future__ import annotations

import asyncio
import functools
import sys

from _clients import Cellvoice
from _replies import LINES_BYTES, body_for
from _rig import Row, at_most, cpu_ms, options, report
from _server import served

LONG, USUAL = "lines-1000000", "lines-8000"
# What one read of a socket gives.
READ_BYTES = 65_536


async def parse(wire: bytes) -> int:
    """Decode and parse the bytes of a stream, cut as a socket cuts them; gives the sound's size."""
    from cellvoice.protocol import Reply, StreamParser, fold

    reply, parser = Reply(), StreamParser()
    for begin in range(0, len(wire), READ_BYTES):
        for event in parser.feed(wire[begin : begin + READ_BYTES]):
            fold(reply, event)
    assert reply.done
    return len(reply.pcm)


async def measure(base_url: str, rounds: int) -> list[Row]:
    """Lines of 1 MB beside lines of 8 kB, the same bytes of sound."""
    client = Cellvoice(base_url)
    wires = {name: b"".join(body_for(name).pieces) for name in (LONG, USUAL)}
    rows = []
    for words, read in (
        ("decoded and parsed", lambda name: functools.partial(parse, wires[name])),
        ("over the network", lambda name: functools.partial(client.listen, name)),
    ):
        spent = await cpu_ms({name: read(name) for name in (LONG, USUAL)}, rounds)
        microseconds = {name: spent[name] / LINES_BYTES * 1_000_000 for name in spent}
        row = at_most(1.5, words, microseconds[LONG], microseconds[USUAL], "µs a kB")
        rows.append(row)
    await client.aclose()
    return rows


def main() -> int:
    """Measure and print."""
    given = options(__doc__, rounds=9)
    with served() as base_url:
        rows = asyncio.run(measure(base_url, given.rounds))
    return report("long_line: lines of 1 MB (ours) beside lines of 8 kB (peer)", rows)


if __name__ == "__main__":
    sys.exit(main())
