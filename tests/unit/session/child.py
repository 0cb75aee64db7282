"""A process that talks to a played service and is killed; run as a script by the crash tests.

`child.py FOLDER turns N` says N things and prints the id of each turn that has ended.
`child.py FOLDER held K` says one thing, and then stays in its second reply after K of its pieces.
`child.py FOLDER resume NAME` resumes a conversation, prints where it writes, and waits.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from rig import Hold, Reply, Service, events_of, recorded

from cellvoice.audio import Clip
from cellvoice.session import Session

QUESTION = Clip.from_pcm16(bytes(range(256)) * 20)


def main(folder: str, what: str, argument: str) -> None:
    if what == "turns":
        session = Session("gpt-audio-1.5", journal=folder, transport=Service(recorded()))
        tell(session.id)
        for number in range(int(argument)):
            tell(session.say(QUESTION if number % 2 else f"Question {number}").id)
        return
    if what == "held":
        hold, events = Hold(), events_of()
        held = Reply([*events[: int(argument)], hold])
        session = Session("gpt-audio-1.5", journal=folder, transport=Service(recorded(), held))
        session.say("First.")
        session.start_turn([QUESTION, "Second."])
        hold.wait_until_reached()
        assert session._journal is not None
        session._journal.flush()
        tell(session.id)
    else:
        session = Session.resume(argument, journal=folder, transport=Service(recorded()))
        assert session.journal_folder is not None
        tell(str(session.journal_folder))
        tell(session.notice)
    sys.stdin.read()
    session.say("And then?")
    tell(session.turns[-1].id)


def tell(word: str) -> None:
    print(word, flush=True)  # noqa: T201 (the test reads it)


if __name__ == "__main__":
    main(*sys.argv[1:4])
