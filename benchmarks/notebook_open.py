"""Opening a saved notebook of 100 turns in JupyterLab, beside 100 IPython.display.Audio outputs.

Both notebooks hold the same speech, one output a cell, and are trusted; a third has only the cells.
JupyterLab is loaded once; every sample opens one of them in it, in turns, and ends when all 100
outputs are in the page and the page is idle. Needs the built JupyterLab extension and Chromium.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import nbformat
import numpy as np
from _rig import Row, at_most, for_information, options, report
from card_size import RATE_HZ, turn
from IPython.display import Audio
from playwright.async_api import Page, async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cellvoice.render import bundle
from tests.browser.conftest import NEWEST, launch
from tests.browser.server import TOKEN, LabServer, kernel_name, server_environment

TURNS = 100
ASKED_S = 4.0
ANSWERED_S = 6.0
TIMES = 1.5
CARDS, PLAYERS, CELLS = "cards.ipynb", "players.ipynb", "cells.ipynb"
DRAWN = {
    CARDS: ".cellvoice-output article.cv-card .cv-player",
    PLAYERS: ".jp-RenderedHTML audio",
    CELLS: ".jp-CodeCell",
}

OPEN = """async ([path, drawn, count]) => {
  const frame = () => new Promise(requestAnimationFrame);
  const start_ms = performance.now();
  const panel = await jupyterapp.commands.execute("docmanager:open", { path, factory: "Notebook" });
  while (panel.node.querySelectorAll(drawn).length < count) await frame();
  await new Promise(requestIdleCallback);
  await frame();
  const took_ms = performance.now() - start_ms;
  await panel.sessionContext.ready;
  await panel.sessionContext.shutdown();
  panel.dispose();
  await new Promise(requestIdleCallback);
  return took_ms;
}"""


def outputs() -> dict[str, list[Mapping[str, object]]]:
    """By the notebook's name, what each cell's output holds; nothing where there is none."""
    made = turn(ASKED_S, ANSWERED_S)
    samples = np.frombuffer(bytes(made.reply.pcm), "<i2")
    player = Audio(samples, rate=RATE_HZ)
    plain = {"text/html": player._repr_html_(), "text/plain": repr(player)}
    cards: list[Mapping[str, object]] = [
        bundle(replace(made, id=f"20261123T101500-{number}", number=number))
        for number in range(1, TURNS + 1)
    ]
    return {CARDS: cards, PLAYERS: [plain] * TURNS, CELLS: [{}] * TURNS}


def write(server: LabServer, path: str, data: Sequence[Mapping[str, object]]) -> None:
    """A notebook with these outputs, and JupyterLab's trust in it."""
    file = server.write_notebook(path, ["session.say(question)"] * len(data), kernel_name(NEWEST))
    notebook = nbformat.read(file, as_version=4)
    for cell, shown in zip(notebook.cells, data, strict=True):
        if not shown:
            continue
        cell.execution_count = 1
        cell.outputs = [
            nbformat.v4.new_output(
                "execute_result", data=dict(shown), metadata={}, execution_count=1
            )
        ]
    nbformat.write(notebook, file)
    subprocess.run(
        [sys.executable, "-m", "jupyter", "trust", str(file)],
        env=server_environment(server.folders),
        check=True,
        capture_output=True,
    )


async def open_ms(page: Page, path: str) -> float:
    """Milliseconds until everything in the notebook is drawn."""
    took_ms: float = await page.evaluate(OPEN, [path, DRAWN[path], TURNS])
    return took_ms


async def measured(server: LabServer, rounds: int) -> dict[str, list[float]]:
    """Milliseconds by notebook and round. The first round warms up; every other goes backwards."""
    took_ms: dict[str, list[float]] = {name: [] for name in DRAWN}
    async with async_playwright() as driver:
        browser = await launch(driver)
        page = await browser.new_page(viewport={"width": 1200, "height": 900})
        await page.goto(f"{server.url}/lab?token={TOKEN}")
        await page.wait_for_function("globalThis.jupyterapp !== undefined")
        await page.evaluate("jupyterapp.restored.then(() => true)")
        for number in range(rounds + 1):
            names = list(took_ms) if number % 2 else list(took_ms)[::-1]
            for name in names:
                spent_ms = await open_ms(page, name)
                if number:
                    took_ms[name].append(spent_ms)
        await browser.close()
    return took_ms


async def rows(rounds: int) -> list[Row]:
    """The comparison, and the sizes of the two files."""
    with tempfile.TemporaryDirectory() as folder:
        server = await LabServer.start(Path(folder), NEWEST)
        try:
            for path, data in outputs().items():
                write(server, path, data)
            took_ms = await measured(server, rounds)
            cards, players = (
                (server.folders.root / path).stat().st_size / 1e6 for path in (CARDS, PLAYERS)
            )
        finally:
            await server.stop()
    opening = f"time to open {TURNS} turns of {ANSWERED_S:g} s, IPython.display.Audio"
    ours_ms, peer_ms, cells_ms = (median(took_ms[name]) for name in (CARDS, PLAYERS, CELLS))
    return [
        at_most(TIMES, opening, ours_ms, peer_ms),
        for_information("the same beyond the cells", ours_ms - cells_ms, peer_ms - cells_ms),
        for_information("the notebook's file", cards, players, "MB"),
    ]


if __name__ == "__main__":
    assert __doc__ is not None
    found = asyncio.run(rows(options(__doc__, rounds=9).rounds))
    sys.exit(report("notebook_open: a saved notebook of many turns", found))
