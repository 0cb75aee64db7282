"""A server of its own, JupyterLab or Notebook 7: own folders, own kernels, no news, no key."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nbformat

from .waiting import until

ROOT = Path(__file__).resolve().parents[2]
LABEXTENSION = ROOT / "src/cellvoice/_static/labextension"
WIDGET = ROOT / "src/cellvoice/_static/widget.js"
PAGE_CODE = ROOT / "src/cellvoice/_static/page.js.gz"
KERNELS = ROOT / ".venv/kernels"
TOKEN = "browser-tests"

OLD_KERNELS = ("7.3.0", "6.31.0")
"""Besides the installed ipykernel; `scripts/setup` puts each into `.venv/kernels/<version>`."""

_THEMES = "@jupyterlab/apputils-extension:themes"


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """A front end of Jupyter: its module, the class of its settings, where it shows a notebook."""

    module: str
    settings: str
    notebooks: str


JUPYTERLAB = FrontEnd("jupyterlab", "LabApp", "doc/tree")
NOTEBOOK_7 = FrontEnd("notebook", "JupyterNotebookApp", "notebooks")


@dataclass(frozen=True, slots=True)
class Folders:
    """Everything a server writes, below one temporary folder."""

    base: Path

    @property
    def root(self) -> Path:
        return self.base / "root"

    @property
    def runtime(self) -> Path:
        return self.base / "runtime"

    @property
    def share(self) -> Path:
        return self.base / "share"

    @property
    def config(self) -> Path:
        return self.base / "config"


def kernel_name(version: str, *, realtime: bool = False) -> str:
    """The kernelspec for one ipykernel; `realtime`: the engine is no faster than its speech."""
    return f"ipykernel-{version}" + ("-realtime" if realtime else "")


def write_kernelspecs(folders: Folders, current: str) -> None:
    """One kernelspec per ipykernel version and pace, all on this interpreter."""
    for version in (current, *OLD_KERNELS):
        for realtime in (False, True):
            env = {"CELLVOICE_ENGINE_PACE": "realtime"} if realtime else {}
            # The package in this checkout, as with the build of its JupyterLab extension.
            path = (
                [str(ROOT / "src")]
                if version == current
                else [str(KERNELS / version), str(ROOT / "src")]
            )
            env["PYTHONPATH"] = os.pathsep.join(path)
            spec = {
                "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                "display_name": kernel_name(version, realtime=realtime),
                "language": "python",
                "env": env,
            }
            folder = folders.share / "kernels" / kernel_name(version, realtime=realtime)
            folder.mkdir(parents=True)
            (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def write_settings(folders: Folders) -> None:
    """No announcements, no update checks: the page must ask nobody but its server."""
    page = folders.config / "labconfig" / "page_config.json"
    page.parent.mkdir(parents=True)
    disabled = {"@jupyterlab/apputils-extension:announcements": True}
    page.write_text(json.dumps({"disabledExtensions": disabled}), encoding="utf-8")


def server_environment(folders: Folders) -> dict[str, str]:
    """The environment of the server and its kernels: no key, no proxy, nothing of the user's."""
    dropped = ("OPENAI_", "JUPYTER_", "CELLVOICE_", "PYTHONPATH", "PYTEST")
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(dropped) and not name.lower().endswith("_proxy")
    }
    return env | {
        "HOME": str(folders.base / "home"),
        "JUPYTER_CONFIG_DIR": str(folders.config),
        "JUPYTER_DATA_DIR": str(folders.base / "data"),
        "JUPYTER_RUNTIME_DIR": str(folders.runtime),
        "JUPYTER_PATH": str(folders.share),
        "JUPYTERLAB_SETTINGS_DIR": str(folders.base / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folders.base / "workspaces"),
        "IPYTHONDIR": str(folders.base / "ipython"),
    }


class LabServer:
    """A running JupyterLab or Notebook 7. Start with `LabServer.start`, end with `stop`."""

    def __init__(
        self, front_end: FrontEnd, folders: Folders, process: subprocess.Popen[bytes], url: str
    ) -> None:
        self.folders = folders
        self.url = url
        self._front_end = front_end
        self._process = process
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"token {TOKEN}"}, timeout=60, trust_env=False
        )

    @classmethod
    async def start(
        cls, base: Path, current_ipykernel: str, front_end: FrontEnd = JUPYTERLAB
    ) -> LabServer:
        """Start a server in `base` and wait until it answers."""
        folders = Folders(base)
        labextensions = folders.share / "labextensions"
        for folder in (folders.root, folders.runtime, base / "home", labextensions):
            folder.mkdir(parents=True)
        # The build in this checkout, not one that an earlier install left in the environment.
        (labextensions / "cellvoice").symlink_to(LABEXTENSION)
        write_kernelspecs(folders, current_ipykernel)
        write_settings(folders)
        process = _start_process(folders, front_end)
        server = cls(front_end, folders, process, await _address(folders, process))
        await server._answers()
        return server

    async def stop(self) -> None:
        """End the kernels and the server."""
        for kernel in (await self._http.get("/api/kernels")).json():
            await self._http.delete(f"/api/kernels/{kernel['id']}")
        await self._http.aclose()
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, 20)
        except subprocess.TimeoutExpired:
            self._process.kill()

    async def _answers(self) -> None:
        async def status() -> bool:
            try:
                return (await self._http.get("/api/status")).is_success
            except httpx.HTTPError:
                return False

        await until(status, "the server to answer")

    def page_url(self, path: str) -> str:
        """Where a browser opens a notebook."""
        return f"{self.url}/{self._front_end.notebooks}/{path}?token={TOKEN}"

    def write_notebook(self, path: str, cells: list[str], kernel: str) -> Path:
        """A notebook with code cells `cell-0`, `cell-1`, …"""
        notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
        spec = {"name": kernel, "display_name": kernel, "language": "python"}
        notebook.metadata["kernelspec"] = spec
        for index, source in enumerate(cells):
            cell = nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]
            cell["id"] = f"cell-{index}"
            notebook.cells.append(cell)
        file = self.folders.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, file)  # type: ignore[no-untyped-call]
        return file

    def read_notebook(self, path: str) -> dict[str, Any]:
        """A notebook as it is on disk."""
        text = (self.folders.root / path).read_text(encoding="utf-8")
        notebook: dict[str, Any] = json.loads(text)
        return notebook

    async def connection_file(self, path: str) -> Path:
        """The connection file of the kernel that a notebook uses."""

        async def file() -> Path | None:
            for session in (await self._http.get("/api/sessions")).json():
                if session["path"] == path:
                    found = self.folders.runtime / f"kernel-{session['kernel']['id']}.json"
                    return found if found.exists() else None
            return None

        return await until(file, f"a kernel of {path}")

    async def shut_down_kernel(self, path: str) -> None:
        """End a notebook's session and kernel."""
        for session in (await self._http.get("/api/sessions")).json():
            if session["path"] == path:
                (await self._http.delete(f"/api/sessions/{session['id']}")).raise_for_status()

    async def set_theme(self, theme: str) -> None:
        """Set JupyterLab's theme, as its settings editor would, for pages opened from now on."""
        await self._set(_THEMES, {"theme": theme})

    async def _set(self, plugin: str, settings: dict[str, Any]) -> None:
        body = {"raw": json.dumps(settings)}
        (await self._http.put(f"/lab/api/settings/{plugin}", json=body)).raise_for_status()


def _start_process(folders: Folders, front_end: FrontEnd) -> subprocess.Popen[bytes]:
    with (folders.base / "server.log").open("wb") as log:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", front_end.module, "--no-browser", "--allow-root"),
                *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"),
                *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folders.root}"),
                f"--{front_end.settings}.expose_app_in_browser=True",
            ],
            env=server_environment(folders),
            cwd=folders.root,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


async def _address(folders: Folders, process: subprocess.Popen[bytes]) -> str:
    """The address from the server's own information file, which it writes when it listens."""

    async def address() -> str | None:
        if process.poll() is not None:
            log = (folders.base / "server.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"the server ended at once:\n{log[-3000:]}")
        file = folders.runtime / f"jpserver-{process.pid}.json"
        if file.exists() and (text := file.read_text(encoding="utf-8")):
            return f"http://127.0.0.1:{json.loads(text)['port']}"
        return None

    return await until(address, "the server to listen", timeout_s=90)
