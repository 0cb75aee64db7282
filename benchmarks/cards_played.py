"""What a page keeps of 200 replies played to their end: in a cell that is run again, and in a pad.

JupyterLab, the embedded engine, and sound that goes out in real time: 200 turns of 1.25 s take
seven minutes and more. The notebooks run side by side, each in a browser of its own. A third has a
cell that plays the same speech by IPython.display.Audio: what JupyterLab itself keeps of every run
of a cell. After a forced garbage collection Chromium is asked for its own counts. Needs the built
JupyterLab extension and Chromium; Linux only.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from _rig import Row, options, report
from playwright.async_api import Browser, CDPSession, Page, Playwright, async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.conftest import NEWEST, launch
from tests.browser.lab import NotebookPage
from tests.browser.server import LabServer, kernel_name

# A round of the command line is so many turns, and the page is measured after each.
TURNS_A_ROUND = 50
ROUNDS = 4
# What is counted, and what of it a turn may leave behind. In a pad its card stays, with its 150
# nodes; a reply's samples are 60 kB.
KEPT = {
    "heap_kb": ("JavaScript heap", " kB"),
    "buffers_kb": ("array buffers", " kB"),
    "blink_kb": ("DOM's memory", " kB"),
    "nodes": ("DOM nodes", ""),
    "listeners": ("listeners", ""),
    "renderer_mb": ("renderer's resident memory", " MB"),
    "kernel_mb": ("kernel's resident memory", " MB"),
}
BARS = {
    ("a cell", "heap_kb"): 40.0,
    ("a cell", "buffers_kb"): 6.0,
    ("a cell", "nodes"): 10.0,
    ("a cell", "listeners"): 1.0,
    ("a pad", "heap_kb"): 150.0,
    ("a pad", "buffers_kb"): 6.0,
    ("a pad", "nodes"): 200.0,
    ("a pad", "listeners"): 15.0,
}
# The longest reply whose end is awaited, and some for a busy machine.
PATIENCE_MS = 60_000

OPEN = "import cellvoice as cv\nsession = cv.Session(journal=False, max_completion_tokens=30)"
QUESTION = "What is the capital of France?"
SAY = f'session.say("{QUESTION}");'
PLAYER = f'from IPython.display import Audio\nclip = session.say("{QUESTION}").clip'
PLAY = "Audio(clip.samples, rate=clip.sample_rate_hz, autoplay=True)"

# Counts contexts without keeping them. An audio element says by an event of its own that it ended.
COUNTED = """(() => {
  const made = [];
  const Real = globalThis.AudioContext;
  globalThis.AudioContext = class AudioContext extends Real {
    constructor(...options) { super(...options); made.push(new WeakRef(this)); }
  };
  const isOpen = (one) => (one.deref()?.state ?? "closed") !== "closed";
  globalThis.__contexts = () => made.filter(isOpen).length;
  globalThis.__ended = 0;
  document.addEventListener("ended", () => (globalThis.__ended += 1), true);
})();"""

# Whether a turn that was not heard before was heard to its end.
HEARD = """(() => {
  const { speaking, reports } = globalThis[Symbol.for("cellvoice.audio.v1")] ?? { reports: [] };
  const last = reports.at(-1);
  if (last === undefined || speaking !== null || last.rendered_frames < 24_000) return false;
  if (last.turn === globalThis.__last) return false;
  globalThis.__last = last.turn;
  return true;
})()"""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a page holds after a garbage collection."""

    turns: int
    heap_kb: float
    buffers_kb: float
    blink_kb: float
    nodes: int
    listeners: int
    audio_contexts: int
    audio_nodes: int
    worklets: int
    renderer_mb: float
    kernel_mb: float


Played = Callable[[NotebookPage, int], Awaitable[None]]


async def played_in_cell(notebook: NotebookPage, number: int) -> None:
    """Run the cell once more, and hear the reply to its end."""
    await notebook.run_to_end(1)
    await notebook.until(HEARD, timeout_ms=PATIENCE_MS)


async def played_in_pad(notebook: NotebookPage, number: int) -> None:
    """Ask in the pad, and hear the reply to its end."""
    box = notebook.output(1).locator(".cellvoice-output textarea").last
    await box.fill(QUESTION)
    await box.press("Enter")
    await notebook.until(HEARD, timeout_ms=PATIENCE_MS)


async def played_by_element(notebook: NotebookPage, number: int) -> None:
    """Run the cell once more, and hear its audio element to the end."""
    await notebook.run_to_end(1)
    await notebook.until(f"__ended >= {number}", timeout_ms=PATIENCE_MS)


@dataclass(frozen=True, slots=True)
class Scene:
    """A notebook of two cells, and what a person does in it for every turn."""

    path: str
    cells: Sequence[str]
    played: Played


SCENES = (
    Scene("cell.ipynb", (OPEN, SAY), played_in_cell),
    Scene("pad.ipynb", (OPEN, "session"), played_in_pad),
    Scene("element.ipynb", (f"{OPEN}\n{PLAYER}", PLAY), played_by_element),
)


async def counts(cdp: CDPSession, page: Page, turns: int, pids: tuple[int, int]) -> Counts:
    """Collect all garbage, then count."""
    for _ in range(3):
        # What one collection finalises may hold what the next one finds.
        await cdp.send("HeapProfiler.collectGarbage")
    usage = await cdp.send("Runtime.getHeapUsage")
    told = await cdp.send("Performance.getMetrics")
    metrics = {metric["name"]: metric["value"] for metric in told["metrics"]}
    return Counts(
        turns=turns,
        heap_kb=usage["usedSize"] / 1e3,
        buffers_kb=usage["backingStorageSize"] / 1e3,
        blink_kb=usage["embedderHeapUsedSize"] / 1e3,
        nodes=int(metrics["Nodes"]),
        listeners=int(metrics["JSEventListeners"]),
        audio_contexts=await page.evaluate("__contexts()"),
        audio_nodes=int(metrics["AudioHandlers"]),
        worklets=int(metrics["AudioWorkletProcessors"]),
        renderer_mb=resident_mb(pids[0]),
        kernel_mb=resident_mb(pids[1]),
    )


def resident_mb(pid: int) -> float:
    """The memory of a process that is in RAM."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1e3
    raise RuntimeError(f"process {pid} has no VmRSS, expected Linux and a process that runs")


async def renderer_of(browser: Browser) -> int:
    """The process of the browser's one page: the largest, as spare ones are empty."""
    cdp = await browser.new_browser_cdp_session()
    told = await cdp.send("SystemInfo.getProcessInfo")
    pids = [int(one["id"]) for one in told["processInfo"] if one["type"] == "renderer"]
    return max(pids, key=resident_mb)


async def watched(driver: Playwright, server: LabServer, scene: Scene, rounds: int) -> list[Counts]:
    """Play a scene; what the page holds after the first turns, and after every round."""
    server.write_notebook(scene.path, list(scene.cells), kernel_name(NEWEST))
    async with AsyncExitStack() as stack:
        browser = await launch(driver)
        stack.push_async_callback(browser.close)
        context = await browser.new_context(viewport={"width": 1200, "height": 900})
        await context.add_init_script(COUNTED)
        # JupyterLab fetches its icon at each change of the kernel's status, and Chromium keeps the
        # bodies of all that is fetched for Playwright: 0.27 MB a turn that are nobody's.
        await context.route("**/favicons/*", lambda route: route.abort())
        notebook = await NotebookPage.open(context, server, scene.path)
        await notebook.kernel_ready()
        await notebook.run_to_end(0)
        if scene.played is played_in_pad:
            await notebook.run_to_end(1)
        async with await notebook.kernel() as kernel:
            kernel_pid = int(await kernel.value("__import__('os').getpid()"))
        pids = (await renderer_of(browser), kernel_pid)
        cdp = await context.new_cdp_session(notebook.page)
        await cdp.send("Performance.enable")
        turns = 0
        found: list[Counts] = []
        for goal in (TURNS_A_ROUND * 2 // 5, *(TURNS_A_ROUND * (n + 1) for n in range(rounds))):
            while turns < goal:
                turns += 1
                await scene.played(notebook, turns)
            found.append(await counts(cdp, notebook.page, turns, pids))
            print(scene.path, asdict(found[-1]), file=sys.stderr, flush=True)
        return found


def grown(found: Sequence[Counts], name: str) -> float:
    """How much a count grows with each turn, once the page has heard more than it keeps."""
    first, last = found[-3], found[-1]
    return float(getattr(last, name) - getattr(first, name)) / (last.turns - first.turns)


async def measured(rounds: int) -> dict[str, list[Counts]]:
    """By the notebook's name."""
    with tempfile.TemporaryDirectory() as folder:
        server = await LabServer.start(Path(folder), NEWEST)
        try:
            async with async_playwright() as driver:
                found = await asyncio.gather(
                    *(watched(driver, server, scene, rounds) for scene in SCENES)
                )
        finally:
            await server.stop()
    return {scene.path: counted for scene, counted in zip(SCENES, found, strict=True)}


def rows(found: dict[str, list[Counts]], *, judged: bool) -> list[Row]:
    """What a turn leaves behind in each scene, beside the audio element's."""
    cell, pad, element = (found[scene.path] for scene in SCENES)
    made: list[Row] = []
    for where, counted in (("a cell", cell), ("a pad", pad)):
        for name, (what, unit) in KEPT.items():
            bar = BARS.get((where, name))
            ours, peer = grown(counted, name), grown(element, name)
            made.append(
                Row(
                    f"{what} kept of a turn, {where}",
                    f"{ours:.3g}{unit}",
                    f"{peer:.3g}{unit}",
                    "–",
                    "–" if bar is None else f"≤ {bar:g}{unit}",
                    ours <= bar if judged and bar is not None else None,
                )
            )
        contexts = counted[-1].audio_contexts
        what = f"audio contexts after {counted[-1].turns} turns, {where}"
        made.append(Row(what, str(contexts), "–", "–", "≤ 1", contexts <= 1))
    return made


if __name__ == "__main__":
    assert __doc__ is not None
    rounds = options(__doc__, rounds=ROUNDS).rounds
    counted = asyncio.run(measured(rounds))
    shown = rows(counted, judged=rounds >= ROUNDS)
    sys.exit(report(f"cards_played: {rounds * TURNS_A_ROUND} turns played to their end", shown))
