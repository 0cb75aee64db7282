"""Who may import whom. The table is the architecture (docs/architecture.md); this keeps it true."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "src" / "cellvoice"

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "audio": {"errors"},
    "protocol": {"errors", "audio"},
    "client": {"errors", "protocol"},
    "session": {"errors", "audio", "protocol", "client"},
    "render": {"errors", "audio", "protocol"},
    "widgets": {"errors", "audio", "protocol"},
    "notebook": {"errors", "audio", "protocol", "client", "session", "render", "widgets"},
    "local": {"errors", "audio", "protocol"},
}
# These join the rooms, so they may see all of them.
ABOVE_THE_ROOMS = {"__init__", "__main__", "_cli", "_compose"}
# An error carries the turn that it ended; only type checkers follow this one.
FOR_TYPES_ONLY = {("errors", "session")}
# Needed by some part, yet too slow or too particular to be loaded before that part is used.
HEAVY = {
    "IPython",
    "aiohttp",
    "anywidget",
    "griffe",
    "httpx",
    "httpx_aiohttp",
    "ipywidgets",
    "llguidance",
    "marimo",
    "mcp",
    "msgspec",
    "numpy",
    "opentelemetry",
    "pocketsphinx",
    "pybase64",
    "pydantic",
    "soundfile",
    "soxr",
    "starlette",
    "uvicorn",
}
PURE = ("audio", "protocol")
# What would give a pure room a socket, a clock, a thread or a process …
IMPURE_MODULES = {
    "asyncio",
    "concurrent",
    "http",
    "httpx",
    "multiprocessing",
    "random",
    "secrets",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "urllib",
}
# … and what would, out of modules that also hold plain values (`os.PathLike`, `datetime.date`).
IMPURE_ATTRIBUTES = {"environ", "getenv", "now", "today", "utcnow"}


def room_of(path: Path, root: Path) -> str:
    return path.relative_to(root).parts[0].removesuffix(".py")


def is_room(name: str, root: Path) -> bool:
    return name in MAY_IMPORT or (root / name).is_dir() or (root / f"{name}.py").is_file()


def package_of(path: Path, root: Path) -> list[str]:
    """The package that a relative import in `path` counts from."""
    return ["cellvoice", *path.relative_to(root).parent.parts]


def imported_modules(node: ast.AST, package: list[str]) -> Iterator[str]:
    """Absolute names of what one statement imports."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name
    elif isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        yield module
        # `from cellvoice import audio` names a room as well.
        for alias in node.names:
            yield f"{module}.{alias.name}"


def under_type_checking(tree: ast.Module) -> set[ast.AST]:
    """All nodes that only a type checker sees."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in (
            "TYPE_CHECKING",
            "typing.TYPE_CHECKING",
        ):
            for statement in node.body:
                found.update(ast.walk(statement))
    return found


def rooms_used(path: Path, root: Path) -> dict[str, int]:
    """Rooms that a file imports, each with a line where it does."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = under_type_checking(tree)
    here = room_of(path, root)
    used: dict[str, int] = {}
    for node in ast.walk(tree):
        for module in imported_modules(node, package_of(path, root)):
            parts = module.split(".")
            if parts[0] != "cellvoice" or len(parts) < 2:
                continue
            room = parts[1]
            if not is_room(room, root):
                continue  # a name of cellvoice/__init__.py, found by names_from_the_top
            if node in for_types and (here, room) in FOR_TYPES_ONLY:
                continue
            if room != here:
                used.setdefault(room, getattr(node, "lineno", 0))
    return used


def names_from_the_top(path: Path, root: Path) -> list[str]:
    """Public names taken from `cellvoice` itself, which would import every room above."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for module in imported_modules(node, package_of(path, root)):
            parts = module.split(".")
            if parts[0] != "cellvoice":
                continue
            whole_package = isinstance(node, ast.Import) and len(parts) == 1
            name_of_it = len(parts) == 2 and not is_room(parts[1], root)
            if whole_package or name_of_it:
                found.append(module)
    return found


def violations(root: Path) -> list[str]:
    """One sentence for each import that goes the wrong way."""
    found: list[str] = []
    for path in sorted(root.rglob("*.py")):
        room = room_of(path, root)
        where = path.relative_to(root)
        if room in ABOVE_THE_ROOMS:
            continue
        if room not in MAY_IMPORT:
            found.append(f"{where}: {room} is no room of docs/architecture.md")
            continue
        for used, line in sorted(rooms_used(path, root).items()):
            if used not in MAY_IMPORT[room]:
                found.append(f"{where}:{line}: {room} must not import {used}")
        found.extend(
            f"{where}: {room} must not import {name}; name the room it comes from"
            for name in names_from_the_top(path, root)
        )
    return found


def test_imports_go_one_way() -> None:
    assert violations(ROOT) == []


def test_a_relative_import_stays_inside_its_room() -> None:
    leaving = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted(ROOT.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.level > len(path.relative_to(ROOT).parent.parts)
        and room_of(path, ROOT) not in ABOVE_THE_ROOMS
    ]
    assert leaving == []


def impurities(path: Path, root: Path) -> Iterator[str]:
    """What a file takes from the world, each with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = under_type_checking(tree)
    for node in ast.walk(tree):
        if node in for_types:
            continue
        where = f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}"
        for module in imported_modules(node, package_of(path, root)):
            if module.split(".")[0] in IMPURE_MODULES or module.split(".")[-1] in IMPURE_ATTRIBUTES:
                yield f"{where}: {module}"
        if isinstance(node, ast.Attribute) and node.attr in IMPURE_ATTRIBUTES:
            yield f"{where}: .{node.attr}"


def test_pure_rooms_take_no_socket_clock_thread_or_environment() -> None:
    files = [path for room in PURE for path in sorted((ROOT / room).rglob("*.py"))]
    assert [found for path in files for found in impurities(path, ROOT)] == []


@pytest.mark.parametrize(
    "source", ["import time", "from os import environ", "import os\nos.getenv('A')", "date.today()"]
)
def test_the_check_of_pure_rooms_sees_what_touches_the_world(tmp_path: Path, source: str) -> None:
    (tmp_path / "clip.py").write_text(source, encoding="utf-8")
    assert list(impurities(tmp_path / "clip.py", tmp_path))


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("from cellvoice.session import Session", "widgets must not import session"),
        ("import cellvoice.session", "widgets must not import session"),
        ("import cellvoice.session._loop as loop", "widgets must not import session"),
        ("from cellvoice import session", "widgets must not import session"),
        ("from ..session import Session", "widgets must not import session"),
        ("from .. import session", "widgets must not import session"),
        (
            "if TYPE_CHECKING:\n    from cellvoice.session import Turn",
            "widgets must not import session",
        ),
        ("def f():\n    from cellvoice.session import Turn", "widgets must not import session"),
        ("from cellvoice import Clip", "widgets must not import cellvoice.Clip"),
        ("import cellvoice", "widgets must not import cellvoice;"),
    ],
)
def test_the_check_sees_every_form_of_import(
    tmp_path: Path, statement: str, complaint: str
) -> None:
    (tmp_path / "session").mkdir()
    (tmp_path / "widgets").mkdir()
    (tmp_path / "widgets" / "pad.py").write_text(statement, encoding="utf-8")
    found = violations(tmp_path)
    assert any(complaint in sentence for sentence in found), found


def test_errors_may_name_a_turn_for_type_checkers_only(tmp_path: Path) -> None:
    (tmp_path / "session").mkdir()
    named = "if TYPE_CHECKING:\n    from cellvoice.session import Turn"
    (tmp_path / "errors.py").write_text(named, encoding="utf-8")
    assert violations(tmp_path) == []
    (tmp_path / "errors.py").write_text("from cellvoice.session import Turn", encoding="utf-8")
    assert violations(tmp_path) == ["errors.py:1: errors must not import session"]


def test_importing_cellvoice_loads_nothing_heavy() -> None:
    program = "import sys, cellvoice; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "cellvoice" in loaded
    assert HEAVY & set(loaded) == set()


def test_the_way_to_the_first_sound_loads_no_numbers_and_no_recordings() -> None:
    program = "import sys, cellvoice.client, cellvoice.protocol; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "httpx" in loaded
    assert {"numpy", "soundfile", "cellvoice.client.cassette"} & set(loaded) == set()


def test_a_session_without_tools_loads_nothing_that_makes_them() -> None:
    program = "import sys, cellvoice.session; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "cellvoice.session.tools.loop" in loaded
    made_of = {f"cellvoice.session.tools.{name}" for name in ("declare", "mcp_server", "otel")}
    assert ({"pydantic", "griffe", "mcp", "opentelemetry"} | made_of) & set(loaded) == set()
