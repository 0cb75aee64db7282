"""One build for all packaging tests: an sdist, and a wheel made from it with no node in sight."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Built:
    """What was made, and the wheel installed into a folder of its own."""

    sdist: Path
    wheel: Path
    installed: Path


def run(*command: str, path: str | None = None) -> str:
    """Run a tool of this interpreter; a failure fails the test with its output."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PATH"] = path
    result = subprocess.run(
        [sys.executable, *command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    built_js = ROOT / "src/cellvoice/_static/labextension/package.json"
    assert built_js.is_file(), "there is no built JavaScript; run scripts/setup"
    dist = tmp_path_factory.mktemp("dist")
    installed = tmp_path_factory.mktemp("installed")
    no_node = str(tmp_path_factory.mktemp("empty"))
    # Without --sdist or --wheel, `build` makes the wheel from the sdist, as pip does.
    run("-m", "build", "--no-isolation", "--outdir", str(dist), str(ROOT), path=no_node)
    (sdist,) = dist.glob("*.tar.gz")
    (wheel,) = dist.glob("*.whl")
    run("-m", "pip", "install", "-q", "--no-deps", "--target", str(installed), str(wheel))
    return Built(sdist, wheel, installed)
