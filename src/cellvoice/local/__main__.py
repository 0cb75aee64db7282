"""`python -m cellvoice.local`: serve the embedded engine until ended."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cellvoice.errors import CellvoiceError

if TYPE_CHECKING:
    from .server import LocalServer

__all__ = ["KEY_VARIABLE", "add_options", "main", "serve"]

KEY_VARIABLE = "CELLVOICE_ENGINE_KEY"
_PACES = ("fast", "realtime")
_GRACE_S = 5
_CHILD_GRACE_S = 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `cellvoice serve`, which are the same."""
    default = os.environ.get("CELLVOICE_ENGINE_PACE", "fast")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 lets other machines in, who need the key "
        f"(a random one, or that in {KEY_VARIABLE})",
    )
    parser.add_argument(
        "--pace",
        choices=_PACES,
        default=default if default in _PACES else "fast",
        help="realtime sends sound no faster than it plays (also CELLVOICE_ENGINE_PACE)",
    )
    parser.add_argument(
        "--strict-like",
        metavar="MODEL",
        help="refuse what that model refuses though the engine can do it; gpt-audio is known",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:REQUESTS][@PIECES]",
        help="go wrong on purpose: rate-limit, quota, overloaded, server-error; or in a stream "
        "cut, stall, malformed, error, slow; may be given several times (see docs/serve.md)",
    )
    parser.add_argument(
        "--requests-per-minute",
        type=_at_least_one,
        metavar="N",
        help="refuse more than so many with a 429",
    )
    parser.add_argument("--corpus", type=Path, help="a corpus of your own instead of the engine's")
    parser.add_argument("--parent-pipe", action="store_true", help="end when standard input closes")


def serve(options: argparse.Namespace) -> int:
    """Print the address and the key, serve until ended, and give the exit code."""
    try:
        server = _made(options)
    except (CellvoiceError, OSError) as error:
        print(f"the embedded engine could not start: {error}", file=sys.stderr)
        return 1

    def ready() -> None:
        print(f"{server.base_url}\napi_key={server.api_key}", flush=True)
        if options.parent_pipe:
            threading.Thread(target=_until_orphaned, args=(server,), daemon=True).start()
        else:
            print(_to_paste(server.base_url, server.api_key), flush=True)

    server.end_on_signals()
    server.serve(ready)
    return 0


def _made(options: argparse.Namespace) -> LocalServer:
    # The arrays are small: a second thread would only wait, at four times the CPU. numpy reads it
    # when it is imported, which is now: the command's other uses do not wait for all this.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from .faults import parse_fault
    from .limits import REQUESTS_PER_MINUTE
    from .server import LocalServer
    from .strict import check_strict_name

    if options.strict_like is not None:
        check_strict_name(options.strict_like)
    return LocalServer(
        host=options.host,
        port=options.port,
        api_key=os.environ.get(KEY_VARIABLE) or None,
        pace=options.pace,
        strict=options.strict_like is not None,
        faults=[parse_fault(text) for text in options.fault],
        requests_per_minute=options.requests_per_minute or REQUESTS_PER_MINUTE,
        corpus_path=options.corpus,
        grace_s=_CHILD_GRACE_S if options.parent_pipe else _GRACE_S,
    )


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _to_paste(base_url: str, api_key: str) -> str:
    """A line of Python and a line of shell that ask the engine something."""
    asked = [{"role": "user", "content": "What is the capital of France?"}]
    sound = {"voice": "alloy", "format": "mp3"}
    request = {"model": "gpt-audio", "modalities": ["text", "audio"], "audio": sound}
    body = json.dumps({**request, "messages": asked}, separators=(",", ":"))
    python = (
        f'from openai import OpenAI; client = OpenAI(base_url="{base_url}", api_key="{api_key}"); '
        'print(client.chat.completions.create(model="gpt-audio", modalities=["text", "audio"], '
        f"audio={json.dumps(sound)}, messages={json.dumps(asked)}).choices[0].message.audio."
        "transcript)"
    )
    shell = (
        f"curl -s {base_url}/chat/completions -H 'Authorization: Bearer {api_key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
    return f"{python}\n{shell}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m cellvoice.local", description=__doc__)
    add_options(parser)
    return serve(parser.parse_args(arguments))


def _until_orphaned(server: LocalServer) -> None:
    """The parent never writes; the pipe ends when the parent ends, however it ended."""
    while os.read(0, 4096):
        pass
    server.stop()


if __name__ == "__main__":
    sys.exit(main())
