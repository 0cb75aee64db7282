"""marimo as a host of the widgets: a server of its own, and its editor as a person uses it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from playwright.async_api import BrowserContext, Locator, expect

from .lab import WAIT_MS, SoundPage
from .server import ROOT, TOKEN, Folders, server_environment
from .waiting import until

MARIMO = ROOT / ".venv/hosts/marimo"
"""Where `scripts/setup` puts it; apart from the environment, since it brings other packages."""

_CONFIG = '[display]\ntheme = "system"\n'


def marimo_environment(folders: Folders) -> dict[str, str]:
    """As for Jupyter: no key, no proxy, nothing of the user's."""
    env = {
        name: value
        for name, value in server_environment(folders).items()
        if not name.startswith(("MARIMO_", "XDG_"))
    }
    path = os.pathsep.join([str(MARIMO), str(ROOT / "src")])
    return env | {"PYTHONPATH": path, "CELLVOICE_ENGINE_PACE": "realtime"}


def notebook_file(cells: list[str]) -> str:
    """A marimo notebook; which names a cell gives and takes is found when it is opened."""
    bodies = ["\n".join(f"    {line}" for line in cell.splitlines()) for cell in cells]
    functions = "".join(f"@app.cell\ndef _():\n{body}\n    return\n\n\n" for body in bodies)
    return f"import marimo\n\napp = marimo.App()\n\n\n{functions}"


class MarimoServer:
    """A running `marimo edit` of one notebook. Start with `MarimoServer.start`, end with `stop`."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.url = url
        self._process = process

    @classmethod
    async def start(cls, base: Path, cells: list[str]) -> MarimoServer:
        """Start it in `base` and wait until it listens; the port is the first that is free."""
        log = base / "server.log"
        process = _start_process(Folders(base), cells, log)
        return cls(process, await _address(log, process))

    def page_url(self) -> str:
        """Where a browser opens the notebook."""
        return f"{self.url}/?access_token={TOKEN}"

    async def stop(self) -> None:
        """End the server and with it its kernel."""
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, 20)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _start_process(folders: Folders, cells: list[str], log: Path) -> subprocess.Popen[bytes]:
    config = folders.base / "home/.config/marimo/marimo.toml"
    for folder in (folders.root, config.parent):
        folder.mkdir(parents=True)
    config.write_text(_CONFIG, encoding="utf-8")
    (folders.root / "talk.py").write_text(notebook_file(cells), encoding="utf-8")
    with log.open("wb") as output:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "marimo", "--yes", "edit", "talk.py", "--headless"),
                *("--host", "127.0.0.1", "--token-password", TOKEN, "--skip-update-check"),
            ],
            env=marimo_environment(folders),
            cwd=folders.root,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


async def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """The address from what the server prints."""

    async def address() -> str | None:
        text = await asyncio.to_thread(log.read_text, encoding="utf-8", errors="replace")
        if process.poll() is not None:
            raise RuntimeError(f"marimo ended at once:\n{text[-3000:]}")
        found = re.search(r"URL: http://[^:\s]+:(\d+)", text)
        return f"http://127.0.0.1:{found[1]}" if found else None

    return await until(address, "marimo to listen", timeout_s=90)


class MarimoPage(SoundPage):
    """The notebook, open in marimo's editor."""

    @classmethod
    async def open(cls, context: BrowserContext, server: MarimoServer) -> MarimoPage:
        """Open it in a new page and wait until its cells are shown."""
        notebook = cls(await context.new_page())
        await notebook.page.goto(server.page_url())
        await expect(notebook.cell(0).locator(".cm-content")).to_be_visible(timeout=WAIT_MS)
        return notebook

    def cell(self, index: int) -> Locator:
        """A cell."""
        return self.page.locator("[data-cell-id]").nth(index)

    def output(self, index: int) -> Locator:
        """What a cell shows."""
        return self.cell(index).locator("[data-cell-role=output]")

    async def run(self, index: int) -> None:
        """Click into a cell and press Ctrl+Enter; marimo runs what depends on it as well."""
        await self.cell(index).locator(".cm-content").click()
        await self.page.keyboard.press("Control+Enter")

    async def is_running(self, index: int) -> bool:
        """True while a cell runs."""
        status = self.cell(index).get_by_test_id("cell-status")
        return await status.get_attribute("data-status") == "running"
