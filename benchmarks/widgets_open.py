"""Fifty live widgets in JupyterLab, beside fifty that each carry the whole browser half.

Both cells show the same empty pads from the same kernel. The peer's pads have the page's module as
their own ESM, which is how a widget without an entry would travel. Every sample is a cell that is
run in a page loaded anew, and ends when all pads are drawn and the page is idle.
Needs the built browser half and Chromium.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
import tempfile
from pathlib import Path
from statistics import median

from _rig import Row, at_most, for_information, options, report, size_at_most
from playwright.async_api import Browser, async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.conftest import NEWEST, launch
from tests.browser.lab import NotebookPage
from tests.browser.server import LABEXTENSION, PAGE_CODE, WIDGET, LabServer, kernel_name

PADS = 50
ENTRY, WHOLE = "entry.ipynb", "whole.ipynb"
ENTRY_KB, LABEXTENSION_KB = 60.0, 250.0
SET_UP = """
import gzip
from cellvoice.notebook._live import Live
from cellvoice.widgets import code, widget
from IPython.display import display
"""
CARRY_ALL = """
whole = gzip.decompress((code.STATIC / "page.js.gz").read_bytes()).decode()
widget.entry_module = lambda: whole
"""
SHOW = f"for _ in range({PADS}): display(Live('pad').widget)"

RUN = """async (count) => {
  const frame = () => new Promise(requestAnimationFrame);
  const start_ms = performance.now();
  void jupyterapp.commands.execute("notebook:run-cell");
  const drawn = () => document.querySelectorAll(".jp-OutputArea .cellvoice section").length;
  while (drawn() < count) await frame();
  await new Promise(requestIdleCallback);
  await frame();
  return performance.now() - start_ms;
}"""


def write(server: LabServer) -> None:
    """One notebook for each kind."""
    for path, more in ((ENTRY, ""), (WHOLE, CARRY_ALL)):
        server.write_notebook(path, [SET_UP + more, SHOW], kernel_name(NEWEST))


async def shown(browser: Browser, server: LabServer, path: str) -> tuple[float, float]:
    """Milliseconds until all pads are drawn, and megabytes of JavaScript's heap then."""
    context = await browser.new_context(viewport={"width": 1200, "height": 900})
    notebook = await NotebookPage.open(context, server, path)
    await notebook.kernel_ready()
    await notebook.run_to_end(0)
    await notebook.cell(1).locator(".cm-content").click()
    took_ms: float = await notebook.page.evaluate(RUN, PADS)
    devtools = await context.new_cdp_session(notebook.page)
    await devtools.send("HeapProfiler.collectGarbage")
    heap_bytes = (await devtools.send("Runtime.getHeapUsage"))["usedSize"]
    await context.close()
    await server.shut_down_kernel(path)
    return took_ms, heap_bytes / 1e6


async def measured(server: LabServer, rounds: int) -> dict[str, tuple[float, float]]:
    """Medians by notebook. The first round warms up; every other goes backwards."""
    found: dict[str, list[tuple[float, float]]] = {ENTRY: [], WHOLE: []}
    async with async_playwright() as driver:
        browser = await launch(driver)
        for number in range(rounds + 1):
            for path in list(found) if number % 2 else list(found)[::-1]:
                sample = await shown(browser, server, path)
                if number:
                    found[path].append(sample)
        await browser.close()
    return {
        path: (median(ms for ms, _ in samples), median(mb for _, mb in samples))
        for path, samples in found.items()
    }


def sizes() -> list[Row]:
    """What was built, in bytes as they travel."""
    zipped = PAGE_CODE.read_bytes()
    entry, whole = WIDGET.stat().st_size / 1e3, len(gzip.decompress(zipped)) / 1e3
    script = sum(path.stat().st_size for path in LABEXTENSION.rglob("*.js")) / 1e3
    return [
        size_at_most(ENTRY_KB, "the ESM of a widget", entry),
        for_information(
            "once a page: its module as sent, and unzipped", len(zipped) / 1e3, whole, "kB"
        ),
        size_at_most(LABEXTENSION_KB, "the JupyterLab extension", script),
    ]


async def rows(rounds: int) -> list[Row]:
    """The sizes, and the comparison."""
    with tempfile.TemporaryDirectory() as folder:
        server = await LabServer.start(Path(folder), NEWEST)
        try:
            write(server)
            found = await measured(server, rounds)
        finally:
            await server.stop()
    (ours_ms, ours_mb), (peer_ms, peer_mb) = found[ENTRY], found[WHOLE]
    return [
        *sizes(),
        at_most(0.6, f"time to draw {PADS} pads", ours_ms, peer_ms),
        at_most(0.75, "JavaScript's heap after it, with JupyterLab's own", ours_mb, peer_mb, "MB"),
    ]


if __name__ == "__main__":
    assert __doc__ is not None
    found = asyncio.run(rows(options(__doc__, rounds=5).rounds))
    sys.exit(report("widgets_open: many live widgets on one page", found))
