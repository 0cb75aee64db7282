"""JupyterLab or Notebook 7 as a person uses it: open, run cells, save, interrupt, reload."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Error, Locator, Page, expect

from .kernel import Kernel
from .server import LabServer
from .sound import Samples, from_tap

TAP = Path(__file__).with_name("tap.js")
WAIT_MS = int(os.environ.get("BROWSER_WAIT_S", "60")) * 1000


class SoundPage:
    """Any page with the tap in it: what it rendered, what its microphone heard, its complaints."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)

    def _on_console(self, message: ConsoleMessage) -> None:
        by_us = "[cellvoice]" in message.text or "cellvoice" in message.location["url"]
        if message.type == "error" and by_us:
            self.complaints.append(message.text)

    def _on_error(self, error: Error) -> None:
        # Notebook 7.6 throws in its own keyboard shortcuts while it starts: "reading 'schema'".
        frames = re.findall(r"https?://\S+|blob:\S+", error.stack or "")
        if not frames or not all("/static/notebook/" in frame for frame in frames):
            self.complaints.append(f"uncaught: {error.stack or error}")

    async def until(self, condition: str, *, timeout_ms: float = WAIT_MS) -> None:
        """Wait until a JavaScript expression is true."""
        await self.page.wait_for_function(condition, timeout=timeout_ms)

    async def until_spoken(self) -> None:
        """Wait until the microphone has heard the whole question and then silence."""
        await self.until("__tap.spoken(0.25)")

    async def until_rendered(self, duration_s: float) -> None:
        """Wait until the page has rendered this much sound and gone quiet."""
        await self.until(f"__tap.rendered_s() > {duration_s} && __tap.quiet(0.4)")

    async def rendered(self) -> Samples:
        """What went to the speakers since the page was opened or `forget` was called."""
        recordings = await self.page.evaluate("__tap.take(['speakers', 'element'])")
        assert len(recordings) == 1, f"{len(recordings)} sources were heard, expected one"
        return from_tap(recordings[0])

    async def microphone(self) -> Samples:
        """What the microphone gave, as the page's own stream had it."""
        return from_tap((await self.page.evaluate("__tap.take(['microphone'])"))[-1])

    async def forget(self) -> None:
        """Forget what was rendered so far."""
        await self.page.evaluate("__tap.forget()")

    async def screenshot(self, path: Path, part: Locator | None = None) -> None:
        """Keep a picture of the page, or of a part of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if part is None:
            await self.page.screenshot(path=path)
        else:
            await part.screenshot(path=path, animations="disabled")


class NotebookPage(SoundPage):
    """One notebook, open in JupyterLab or Notebook 7."""

    def __init__(self, page: Page, server: LabServer, path: str) -> None:
        super().__init__(page)
        self.server = server
        self.path = path

    @classmethod
    async def open(cls, context: BrowserContext, server: LabServer, path: str) -> NotebookPage:
        """Open a notebook in a new page and wait until its cells are shown."""
        notebook = cls(await context.new_page(), server, path)
        await notebook.page.goto(server.page_url(path))
        await notebook._shown()
        return notebook

    async def _shown(self) -> None:
        await expect(self.cell(0)).to_be_visible(timeout=WAIT_MS)
        # The spinner lies over the cells until the panel is ready, and takes the focus as it goes.
        await expect(self.page.locator(".jp-Spinner")).to_have_count(0, timeout=WAIT_MS)

    async def kernel_ready(self) -> None:
        """Wait until the kernel is there and idle."""
        await self.until(
            "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )

    def cell(self, index: int) -> Locator:
        """A cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """The output area of a code cell."""
        return self.cell(index).locator(".jp-Cell-outputWrapper")

    async def run(self, index: int) -> None:
        """Click into a cell and press Ctrl+Enter; does not wait for its end."""
        await self.cell(index).locator(".cm-content").click()
        await self.page.keyboard.press("Control+Enter")

    async def ran(self, index: int, *, timeout_ms: float = WAIT_MS) -> None:
        """Wait until a cell has ended."""
        prompt = self.cell(index).locator(".jp-InputPrompt")
        await expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=timeout_ms)

    async def run_to_end(self, index: int) -> None:
        """Run a cell and wait until it has ended; an exception in it fails the test."""
        await self.run(index)
        await self.ran(index)
        error = self.output(index).locator(".jp-OutputArea-output[data-mime-type*='error']")
        assert await error.count() == 0, await error.first.inner_text()

    async def is_running(self, index: int) -> bool:
        """True while a cell's prompt shows a star."""
        return "*" in await self.cell(index).locator(".jp-InputPrompt").inner_text()

    async def interrupt(self) -> None:
        """Press the interrupt button of the toolbar."""
        await self.page.get_by_role("button", name=re.compile("Interrupt the kernel")).click()

    async def restart_kernel(self) -> None:
        """Press the restart button and confirm; wait until the new kernel is idle."""
        await self.page.get_by_role("button", name="Restart the kernel", exact=True).click()
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Confirm Kernel Restart").click()
        await expect(dialog).to_have_count(0)
        await self.kernel_ready()

    async def save(self) -> dict[str, Any]:
        """Save with Ctrl+S and return the file once JupyterLab says that it is written."""
        await self.page.keyboard.press("Control+s")
        await self.until(
            "(() => { const c = jupyterapp.shell.currentWidget.context;"
            " return !c.model.dirty && c.model.sharedModel !== undefined; })()"
        )
        return self.server.read_notebook(self.path)

    async def append_to_cell(self, index: int, text: str) -> None:
        """Write at the end of a cell."""
        await self.cell(index).locator(".cm-content").click()
        await self.page.keyboard.press("Control+End")
        await self.page.keyboard.type(text)

    async def is_trusted(self) -> bool:
        """What JupyterLab says about the outputs it opened."""
        trusted: bool = await self.page.evaluate(
            "[...jupyterapp.shell.currentWidget.content.model.cells]"
            ".filter((cell) => cell.type === 'code').every((cell) => cell.trusted)"
        )
        return trusted

    async def reload(self) -> None:
        """Reload the page, as with F5."""
        await self.page.reload()
        await self._shown()

    async def close(self) -> None:
        """Close the page without asking."""
        await self.page.close()

    async def kernel(self) -> Kernel:
        """A second client of this notebook's kernel; use it in `async with`."""
        file = await self.server.connection_file(self.path)
        return Kernel(file)


def outputs_of(notebook: dict[str, Any], index: int) -> list[dict[str, Any]]:
    """The outputs of a cell in a saved notebook."""
    outputs: list[dict[str, Any]] = notebook["cells"][index]["outputs"]
    return outputs


def mime_types(notebook: dict[str, Any]) -> set[str]:
    """Every MIME type in the outputs of a saved notebook."""
    return {
        mime
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        for mime in output.get("data", {})
    }


def untrusted_copy(server: LabServer, path: str, new_path: str) -> None:
    """Copy a notebook so that JupyterLab has no signature for it."""
    notebook = server.read_notebook(path)
    notebook["metadata"]["copied"] = "by a browser test, so that the signature is another"
    (server.folders.root / new_path).write_text(json.dumps(notebook), encoding="utf-8")
