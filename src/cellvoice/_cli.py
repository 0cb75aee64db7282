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
    return serve(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
