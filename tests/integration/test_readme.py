"""The README's first example, as a reader would run it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_first_example_prints_what_the_readme_says(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="the output shown is that of the engine's extra")
    blocks = FENCE.findall(README.read_text(encoding="utf-8"))
    at = next(index for index, (language, _) in enumerate(blocks) if language == "python")
    example, shown = blocks[at][1], blocks[at + 1][1]

    ran = subprocess.run(
        [sys.executable, "-c", example],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == shown


def test_the_first_example_stands_within_thirty_lines() -> None:
    before, found, _ = README.read_text(encoding="utf-8").partition("```python")
    assert found
    assert before.count("\n") < 30
