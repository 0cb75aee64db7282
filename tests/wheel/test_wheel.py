"""The wheel and the sdist, built and installed away from the checkout."""

from __future__ import annotations

import json
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import ROOT, run

if TYPE_CHECKING:
    from .conftest import Built

pytestmark = pytest.mark.slow

EXTENSION = "share/jupyter/labextensions/cellvoice"
IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
source, installed = sys.argv[1:]
sys.path[:] = [installed, *(entry for entry in sys.path if entry != source)]
import cellvoice
assert cellvoice.__file__.startswith(installed), cellvoice.__file__
for module in pkgutil.walk_packages(cellvoice.__path__, "cellvoice."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
for name in cellvoice.__all__:
    getattr(cellvoice, name)
strangers = [name for name, module in sys.modules.items() if name.startswith("cellvoice")
             and not (getattr(module, "__file__", None) or installed).startswith(installed)]
assert strangers == [], strangers
print("imported")
"""


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def shipped_files() -> set[str]:
    """What src/ holds besides caches and built files, relative to src/."""
    source = ROOT / "src"
    return {
        path.relative_to(source).as_posix()
        for path in (source / "cellvoice").rglob("*")
        if path.is_file() and not {"__pycache__", "_static"} & set(path.parts)
    }


def test_the_wheel_has_the_widget_the_types_and_every_file_of_the_package(built: Built) -> None:
    names = set(names_in(built.wheel))
    assert names >= {
        "cellvoice/_static/page.js.gz",
        "cellvoice/_static/third-party-licences.txt",
        "cellvoice/_static/widget.js",
        "cellvoice/py.typed",
    }
    assert shipped_files() - names == set()


def test_the_wheel_has_the_jupyterlab_extension_once(built: Built) -> None:
    entries = [name for name in names_in(built.wheel) if "remoteEntry" in name]
    assert len(entries) == 1
    assert f".data/data/{EXTENSION}/static/" in entries[0]


def test_jupyterlab_finds_the_installed_extension(built: Built) -> None:
    folder = built.installed / EXTENSION
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    build = package["jupyterlab"]["_build"]
    assert (folder / build["load"]).is_file()
    assert (build["extension"], build["mimeExtension"]) == ("./extension", "./mimeExtension")
    assert json.loads((folder / "install.json").read_text())["packageName"] == "cellvoice"


def test_the_sdist_has_sources_and_built_files(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {
        "LICENSE",
        "README.md",
        "hatch_build.py",
        "js/build.mjs",
        "package-lock.json",
        "src/cellvoice/_static/labextension/package.json",
        "src/cellvoice/_static/page.js.gz",
        "src/cellvoice/_static/widget.js",
    }


def test_the_wheel_describes_itself(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        folder = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        fields = HeaderParser().parsestr(archive.read(folder).decode())
        scripts = archive.read(folder.replace("METADATA", "entry_points.txt")).decode()
    version = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["version"]
    assert fields["Name"] == "cellvoice"
    assert fields["Version"] == version
    assert fields["License-Expression"] == "BSD-3-Clause"
    assert fields["Requires-Python"] == ">=3.11"
    assert set(fields.get_all("Provides-Extra", [])) >= {"engine", "espeak", "lab", "stt"}
    assert "cellvoice = cellvoice._cli:main" in scripts


def test_every_module_imports_from_the_installed_wheel(built: Built) -> None:
    program = ["-c", IMPORT_EVERYTHING, str(ROOT / "src"), str(built.installed)]
    assert run(*program).splitlines()[-1] == "imported"
