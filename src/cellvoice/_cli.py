"""The `cellvoice` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and give its exit code."""
    from cellvoice.local.__main__ import add_options, serve

    parser = argparse.ArgumentParser(prog="cellvoice", description="Tools of cellvoice.")
    commands = parser.add_subparsers(dest="command", required=True)
    add_options(
        commands.add_parser("serve", help="serve the embedded engine over HTTP until ended")
    )
    cassette = commands.add_parser("cassette", help="look into recorded conversations")
    verbs = cassette.add_subparsers(dest="verb", required=True)
    verbs.add_parser("show", help="print what is recorded").add_argument(
        "path", help="a cassette's folder or zip file"
    )
    given = parser.parse_args(arguments)
    return _show_cassette(given.path) if given.command == "cassette" else serve(given)


def _show_cassette(path: str) -> int:
    from cellvoice.client import Cassette
    from cellvoice.errors import UsageError

    try:
        print(Cassette(path).describe())
    except UsageError as error:
        print(f"cellvoice: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
