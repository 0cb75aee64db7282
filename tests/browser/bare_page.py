"""The built widget on a bare page, with a kernel of a few lines (`page_kernel.js`)."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lab import SoundPage
from .server import PAGE_CODE, ROOT, WIDGET
from .sound import SAMPLE_RATE_HZ, Samples

HERE = Path(__file__).parent
FRAME = 1_200

STATE = {
    "model": "gpt-audio",
    "voice": "marin",
    "badge": "",
    "notice": "",
    "price": {"input_usd_per_s": 0.0003, "output_usd_per_s": 0.0012},
    "cost_usd": 0.0,
    "journal": "",
}
Samples16 = NDArray[np.int16]
CARD: dict[str, Any] = json.loads((ROOT / "tests/contract/turn.v1.json").read_text()) | {
    "asked_at": "2999-01-01T00:00:00Z",
    "reply": {"kind": "speech", "text": "", "refusal": None, "sound": None},
}


def pcm(samples: Samples16) -> str:
    return base64.b64encode(samples.astype("<i2").tobytes()).decode()


def noise(duration_s: float) -> Samples16:
    """Samples that are all different from zero, so that any gap and any repeat shows."""
    dice = np.random.default_rng(7)
    values = dice.integers(1_000, 9_000, int(duration_s * SAMPLE_RATE_HZ))
    samples: Samples16 = (values * dice.choice([-1, 1], len(values))).astype(np.int16)
    return samples


ALONE = noise(1)
FILES = {
    "/": (
        "text/html",
        b'<!doctype html><body></body><script type="module" src="/kernel.js"></script>',
    ),
    "/alone.json": (
        "application/json",
        json.dumps({"card": CARD, "state": STATE, "pcm": pcm(ALONE)}).encode(),
    ),
    "/kernel.js": ("text/javascript", (HERE / "page_kernel.js").read_bytes()),
}


# Read at each request: a test that is run again after a build must see what was built.
BUILT = {
    "/widget.js": WIDGET.read_bytes,
    "/page.js": lambda: gzip.decompress(PAGE_CODE.read_bytes()),
    "/page.js.gz": PAGE_CODE.read_bytes,
}


class Files(BaseHTTPRequestHandler):
    """The page, its kernel, the built widget; with a content policy when the path asks for one."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        kind, body = FILES.get(path, ("text/javascript", b""))
        if path in BUILT:
            body = BUILT[path]()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if query == "no-blob":
            self.send_header("Content-Security-Policy", "script-src 'self' 'unsafe-eval' data:")
        elif query == "no-worklet":
            self.send_header("Content-Security-Policy", "script-src 'self' 'unsafe-eval'")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing: pytest shows what matters."""


@contextmanager
def served() -> Iterator[str]:
    """Serve the page on a free port of this machine, and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Rig(SoundPage):
    """The bare page, and what its kernel can be told to do."""

    async def call(self, name: str, *arguments: object) -> Any:
        return await self.page.evaluate(f"rig.{name}(...{json.dumps(arguments)})")

    async def start_turn(self, turn: str = CARD["id"]) -> None:
        card = {**CARD, "id": turn, "state": "running"}
        await self.call("emit", "turn.started", {"turn": turn, "card": card})

    async def end_turn(self, turn: str = CARD["id"], spoken_s: float | None = None) -> None:
        """With the length of its sound, the page may ask the kernel for it."""
        sound = {"sample_rate_hz": SAMPLE_RATE_HZ, "peaks": [], "mime": "audio/wav", "href": None}
        reply = CARD["reply"] | (
            {} if spoken_s is None else {"sound": {**sound, "duration_s": spoken_s}}
        )
        card = {**CARD, "id": turn, "reply": reply}
        await self.call("emit", "turn.ended", {"turn": turn, "card": card})

    async def held_bytes(self) -> int:
        """What the page's array buffers take once all garbage is collected."""
        await self.call("forget")
        devtools = await self.page.context.new_cdp_session(self.page)
        await devtools.send("HeapProfiler.collectGarbage")
        usage = await devtools.send("Runtime.getHeapUsage")
        await devtools.detach()
        return int(usage["backingStorageSize"])

    async def speak(
        self, source: Samples16, frames: int, late_ms: list[float], turn: str = CARD["id"]
    ) -> None:
        """Send a reply's samples in messages of `frames`, at these distances, over and over."""
        await self.call("speak", turn, pcm(source), frames, late_ms)

    async def sounded(self) -> Samples:
        """Every sample that was rendered and is not zero: `noise` has no zeros of its own.

        An audio thread that gets no processor time renders a moment of silence and then goes on
        where it was; what the page must not do is lose, repeat or move a sample.
        """
        rendered = await self.rendered()
        return rendered[rendered != 0]

    async def heard(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.call("heard", name)
        return found

    async def recorded(self) -> NDArray[np.int16]:
        return np.frombuffer(base64.b64decode(await self.call("recorded")), dtype="<i2")
