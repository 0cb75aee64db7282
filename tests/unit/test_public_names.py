"""The public names are written by hand in one list; this keeps it and the module the same."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import cellvoice
from cellvoice import errors

# What IPython and JupyterLab look for by name; not for users.
FOR_HOSTS = {"load_ipython_extension", "unload_ipython_extension"}
# design.md calls these stable from the first release.
PROMISED = {"CellvoiceError", "Clip", "Session"}


def public(names: list[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")} - FOR_HOSTS


def test_all_is_sorted_and_has_each_name_once() -> None:
    assert list(cellvoice.__all__) == sorted(set(cellvoice.__all__))


def test_each_name_in_all_can_be_used() -> None:
    missing = [name for name in cellvoice.__all__ if not hasattr(cellvoice, name)]
    assert missing == []


def test_dir_shows_the_public_names_and_no_more() -> None:
    rooms = {path.stem for path in Path(cellvoice.__file__).parent.iterdir()}
    assert public(dir(cellvoice)) - rooms == public(list(cellvoice.__all__))


def test_every_error_is_public() -> None:
    tree = {
        name for name, _ in inspect.getmembers(errors, inspect.isclass) if name in errors.__all__
    }
    assert tree <= set(cellvoice.__all__)
    assert set(errors.__all__) == {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == errors.__name__
    }


def test_the_promised_names_are_there() -> None:
    assert set(cellvoice.__all__) >= PROMISED


def test_each_public_name_is_used_in_the_typing_file() -> None:
    source = (Path(__file__).parents[1] / "typing" / "api.py").read_text(encoding="utf-8")
    used = {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "cv"
    }
    assert set(cellvoice.__all__) - used == set()
