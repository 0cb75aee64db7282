"""A marimo notebook that is run for nobody: its cards play and read without a kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARIMO = ROOT / ".venv/hosts/marimo"
NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import cellvoice as cv

    session = cv.Session(journal=False)
    turn = session.say("what is the capital of france")
    return session, turn


@app.cell
def _(session):
    session
    return


if __name__ == "__main__":
    app.run()
"""


def export(folder: Path) -> list[str]:
    """Run the notebook as `marimo export` does; what each cell shows."""
    (folder / "talk.py").write_text(NOTEBOOK, encoding="utf-8")
    path = os.pathsep.join([str(MARIMO), str(ROOT / "src")])
    dropped = ("OPENAI_", "MARIMO_", "XDG_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    subprocess.run(
        [
            *(sys.executable, "-m", "marimo", "export", "ipynb", "talk.py"),
            *("--include-outputs", "-o", "talk.ipynb"),
        ],
        cwd=folder,
        env=env | {"PYTHONPATH": path, "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=100,
        check=True,
    )
    cells = json.loads((folder / "talk.ipynb").read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell["outputs"]]
    return ["".join(output["data"]["text/html"]) for output in outputs]


def test_an_exported_notebook_has_cards_with_their_sound_and_no_widgets(tmp_path: Path) -> None:
    card, conversation = export(tmp_path)
    for shown in (card, conversation):
        assert "Paris" in shown
        assert shown.count("<audio controls") == 1
        assert "marimo-anywidget" not in shown
