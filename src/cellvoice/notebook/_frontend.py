"""Who is listening: is there a page, and can it be heard while the cell runs?

Which kernel with which front end delivers a page's messages before the cell ends was measured:
`docs/decisions/2026-11-23-hearing-a-page.md` has the table behind every rule here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Only a page that has proven itself is waited for: settings may forbid what the versions allow.
HELLO_TIMEOUT_S = 4.0


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """What the kernel is; None where there is no Jupyter kernel."""

    version: tuple[int, ...]
    subshells: bool


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the execute request of the running cell says about its sender."""

    metadata: Mapping[str, object]
    has_subshell_key: bool


@dataclass(frozen=True, slots=True)
class Hearing:
    """Whether there is a page, and which kinds of waiting calls its messages can reach.

    `reason` says in one sentence why a blocking call can't hear and what to do instead, or is "".
    """

    page: bool
    blocking: bool
    awaiting: bool
    reason: str
    # What a pad should warn of, or "": the kernel itself is at risk.
    warning: str = ""


NO_PAGE = Hearing(False, False, False, "")

_AWAIT_OR_UPGRADE = "the turn is asked when you send; to wait for it in a cell, "


def hearing(kernel: KernelFacts | None, request: RequestFacts | None) -> Hearing:
    """Decide from facts alone who can be heard. A hello within `HELLO_TIMEOUT_S` must prove it."""
    if kernel is None or request is None:
        return NO_PAGE
    # nbclient and papermill send no metadata at all; every page sends the cell's id at least.
    if not request.metadata and not request.has_subshell_key:
        return NO_PAGE
    version = ".".join(str(part) for part in kernel.version)
    if kernel.version < (7,):
        return Hearing(
            True,
            False,
            False,
            f"ipykernel {version} can't hear this page while a cell runs: {_AWAIT_OR_UPGRADE}"
            "install ipykernel 7.1 or newer",
        )
    if kernel.version < (7, 1):
        return Hearing(
            True,
            False,
            False,
            f"ipykernel {version} can hang when a page talks to it while a cell runs: "
            f"{_AWAIT_OR_UPGRADE}install ipykernel 7.1 or newer",
            warning=f"ipykernel {version} can hang when a page talks to it while a cell runs; "
            "install ipykernel 7.1 or newer",
        )
    if kernel.subshells and request.has_subshell_key:
        return Hearing(True, True, True, "")
    if kernel.version >= (7, 4):
        return Hearing(
            True,
            False,
            True,
            "this front end can't reach the kernel while a cell runs: "
            f"{_AWAIT_OR_UPGRADE}use `await session.alisten()` or JupyterLab 4.4 or newer",
        )
    return Hearing(
        True,
        False,
        False,
        f"this front end can't reach ipykernel {version} while a cell runs: "
        f"{_AWAIT_OR_UPGRADE}use JupyterLab 4.4 or newer, or ipykernel 7.4 with "
        "`await session.alisten()`",
    )
