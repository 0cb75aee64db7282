"""Asking a running kernel what it holds, beside the browser."""

from __future__ import annotations

import ast
import base64
import io
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from jupyter_client.asynchronous.client import AsyncKernelClient

from .sound import Samples, as_floats, to_24k


class Kernel:
    """A second client of a notebook's kernel.

    Questions are asked silently: they make no output, no history entry and no `pre_run_cell`.
    They wait behind a running cell, because they use the main shell.
    """

    def __init__(self, connection_file: Path) -> None:
        self._client = AsyncKernelClient()
        self._client.load_connection_file(str(connection_file))

    async def __aenter__(self) -> Self:
        self._client.start_channels(iopub=False, stdin=False, hb=False, control=False)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._client.stop_channels()

    async def value(self, expression: str, *, timeout_s: float = 60.0) -> Any:
        """The value of a Python expression in the kernel, by way of JSON."""
        code = f"__import__('json').dumps({expression})"
        reply = await self._client.execute(
            "",
            silent=True,
            store_history=False,
            user_expressions={"value": code},
            reply=True,
            timeout=timeout_s,
        )
        answer = reply["content"]["user_expressions"]["value"]
        if answer["status"] != "ok":
            raise AssertionError(f"{expression}: {answer['ename']}: {answer['evalue']}")
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    async def samples(self, expression: str) -> Samples:
        """The samples of a `Clip` in the kernel, at 24 kHz, as floats."""
        text, rate_hz = await self.value(
            "(lambda clip, numpy, base64, file:"
            " (numpy.save(file, clip.samples),"
            "  [base64.b64encode(file.getvalue()).decode(), clip.sample_rate_hz])[1])"
            f"({expression}, __import__('numpy'), __import__('base64'),"
            " __import__('io').BytesIO())"
        )
        return to_24k(as_floats(np.load(io.BytesIO(base64.b64decode(text)))), float(rate_hz))
