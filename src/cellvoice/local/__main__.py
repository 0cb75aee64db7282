"""`python -m cellvoice.local`: serve the embedded engine until ended."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from cellvoice.errors import CellvoiceError

from .server import LocalServer
from .service import Pace

__all__ = ["add_options", "main", "serve"]

_PACES = ("fast", "realtime")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `cellvoice serve`, which are the same."""
    default = os.environ.get("CELLVOICE_ENGINE_PACE", "fast")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--pace",
        choices=_PACES,
        default=default if default in _PACES else "fast",
        help="realtime sends sound no faster than it plays (also CELLVOICE_ENGINE_PACE)",
    )
    parser.add_argument("--corpus", type=Path, help="a corpus of your own instead of the engine's")
    parser.add_argument("--parent-pipe", action="store_true", help="end when standard input closes")


def serve(options: argparse.Namespace) -> int:
    """Print the address and the key, serve until ended, and give the exit code."""
    try:
        server = LocalServer(
            port=options.port, pace=cast(Pace, options.pace), corpus_path=options.corpus
        )
    except (CellvoiceError, OSError, OverflowError) as error:
        print(f"the embedded engine could not start: {error}", file=sys.stderr)
        return 1

    def ready() -> None:
        print(f"{server.base_url}\napi_key={server.api_key}", flush=True)
        if options.parent_pipe:
            threading.Thread(target=_until_orphaned, args=(server,), daemon=True).start()

    server.end_on_signals()
    server.serve(ready)
    return 0


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
