"""Requests made up from the description that the engine serves: none may break it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cellvoice.local import EngineProcess

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
SECONDS = 12


@pytest.mark.slow
def test_nothing_that_fits_or_misses_the_description_breaks_the_server(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("schemathesis")
    if not command.exists():
        pytest.skip("schemathesis comes with scripts/setup")
    process = EngineProcess().start()
    try:
        done = subprocess.run(
            [
                command,
                "run",
                process.base_url.removesuffix("/v1") + "/openapi.json",
                f"--header=Authorization: Bearer {process.api_key}",
                f"--checks={','.join(CHECKS)}",
                "--phases=examples,coverage,fuzzing",
                f"--max-time={SECONDS}",
                "--generation-deterministic",
                "--no-color",
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=SECONDS + 60,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert process.pid is not None
    finally:
        process.close()
    assert "5 selected / 5 total" in done.stdout
