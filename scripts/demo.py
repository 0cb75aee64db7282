"""The demo: ask the embedded engine aloud, run and export the quickstart, open JupyterLab.

scripts/demo runs it inside .venv. It needs no key and uses none.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
QUESTION = NOTEBOOKS / "question.wav"
QUICKSTART = NOTEBOOKS / "quickstart.ipynb"
OUTPUT = ROOT / "output"
TARGET = OUTPUT / QUICKSTART.name
TURN_MIME = "application/vnd.cellvoice.turn.v1+json"
CELL_TIMEOUT_S = 120
KEY_NAMES = ("OPENAI_API_KEY", "OPENAI_BASE_URL")


def main() -> int:
    """0 when all was there; 1 and a sentence for each thing that was missing."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.splitlines()[0])
    parser.add_argument("--once", action="store_true", help="stop before JupyterLab")
    once = parser.parse_args().once

    # What the user pays for is never part of a demo; JupyterLab gets the key back.
    kept = {name: os.environ.pop(name) for name in KEY_NAMES if name in os.environ}
    if kept:
        say("note", f"{' and '.join(kept)} set, but not used before JupyterLab opens")
    missing = [
        f"{path.relative_to(ROOT)} is not in this checkout"
        for path in (QUESTION, QUICKSTART)
        if not path.is_file()
    ]
    if not missing:
        missing = [*ask_the_engine(), *run_the_quickstart()]
    for sentence in missing:
        print(f"missing: {sentence}", file=sys.stderr)
    if once or not TARGET.is_file():
        return 1 if missing else 0
    return open_jupyterlab(kept)


def say(name: str, text: str) -> None:
    """One line of the demo's report."""
    print(f"{name:<10}{text}", flush=True)


def ask_the_engine() -> Iterator[str]:
    """Ask the shipped question aloud and report; yields what was missing."""
    import cellvoice as cv

    clip = cv.Clip.read(QUESTION)
    say("asked", f"{QUESTION.relative_to(ROOT)}, {clip.duration_s:.1f} s of speech")
    try:
        turn = cv.Session(journal=False).say(clip)
    except cv.CellvoiceError as error:
        yield f"the embedded engine gave no answer: {error}"
        return
    first_sound_s = turn.timing.first_sound_s
    say("heard", turn.heard or "nothing")
    say("answered", turn.text or "nothing")
    if turn.clip is not None and first_sound_s is not None:
        say("sound", f"first after {first_sound_s:.2f} s, {turn.clip.duration_s:.1f} s long")
    say("cost", f"${float(turn.cost):.2f}")
    if not turn.heard:
        yield "the engine understood nothing of the question; install cellvoice[engine]"
    if not turn.text:
        yield "the engine's answer has no text"
    if turn.clip is None or turn.clip.duration_s == 0 or first_sound_s is None:
        yield "the engine's answer has no sound"
    if turn.cost != 0:
        yield f"the embedded engine is free, yet the turn says {turn.cost}"


def run_the_quickstart() -> Iterator[str]:
    """Execute a copy of the quickstart and export it; yields what was missing."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from nbconvert import HTMLExporter

    OUTPUT.mkdir(exist_ok=True)
    page = TARGET.with_suffix(".html")
    keep_what_was_changed(TARGET)
    for sound in NOTEBOOKS.glob("*.wav"):
        shutil.copy(sound, OUTPUT)
    notebook = nbformat.read(QUICKSTART, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        resources={"metadata": {"path": str(OUTPUT)}},
        # Its warnings about the transport would stand in the middle of the report.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    began = time.monotonic()
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        last = str(error).strip().splitlines()[-1]
        yield f"a cell of the quickstart failed: {last}"
    nbformat.write(notebook, TARGET)
    stamp_of(TARGET).write_text(digest(TARGET), encoding="ascii")
    exported, _ = HTMLExporter().from_notebook_node(notebook)
    page.write_text(exported, encoding="utf-8")
    say("notebook", f"{TARGET} (executed in {time.monotonic() - began:.1f} s)")
    say("page", str(page))
    yield from missing_in(notebook, exported)


def missing_in(notebook: Any, page: str) -> Iterator[str]:
    """Sound and transcript have to be in the notebook and in its page, which have no kernel."""
    bundles = [
        output["data"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if TURN_MIME in output.get("data", {})
    ]
    if not bundles:
        yield "the executed notebook holds no turn"
    if not any('src="data:audio/' in str(bundle.get("text/html")) for bundle in bundles):
        yield "the executed notebook holds no sound"
    if 'src="data:audio/' not in page:
        yield "the page holds no sound"
    page = html.unescape(page)
    for bundle in bundles:
        card = bundle[TURN_MIME]
        text = card["reply"]["text"]
        if card["state"] != "complete" or not text:
            yield f"turn {card['number']} of the notebook has no transcript ({card['state']})"
        elif text not in page:
            yield f"the page lacks the transcript of turn {card['number']}"


def keep_what_was_changed(notebook: Path) -> None:
    """A copy that someone has talked in is renamed, not overwritten."""
    stamp = stamp_of(notebook)
    if notebook.exists() and not (stamp.exists() and stamp.read_text() == digest(notebook)):
        kept = notebook.with_stem(time.strftime(f"{notebook.stem}-%Y%m%d-%H%M%S"))
        notebook.rename(kept)
        say("kept", f"{kept}, because it was changed since the last demo")


def stamp_of(notebook: Path) -> Path:
    """Where the demo remembers the notebook as it wrote it."""
    return notebook.with_name(f".{notebook.name}.sha256")


def digest(path: Path) -> str:
    """What tells two versions of a file apart."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def open_jupyterlab(environment: dict[str, str]) -> int:
    """Become JupyterLab on the executed copy; ends with Ctrl-C."""
    command = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1"]
    # The printed address, too, leads to the quickstart: not every machine has a browser to open.
    command.append(f"--LabApp.default_url=/lab/tree/{TARGET.name}")
    if os.geteuid() == 0:
        command.append("--allow-root")
    say("opening", "JupyterLab on the quickstart; Ctrl-C twice ends it")
    os.execve(sys.executable, [*command, str(TARGET)], {**os.environ, **environment})


if __name__ == "__main__":
    sys.exit(main())
