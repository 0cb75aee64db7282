"""Every state of every view on one page, without a kernel (`js/gallery`)."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from .server import ROOT

AXE = ROOT / "node_modules/axe-core/axe.min.js"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing: pytest shows what matters."""


@contextmanager
def served_gallery(folder: Path) -> Iterator[str]:
    """Build the gallery into `folder` and serve it on a free port of this machine."""
    subprocess.run(
        ["node", "js/gallery/build.mjs", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/index.html"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Gallery:
    """One look at the gallery."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text)
                if said.type == "error" and "404" not in said.text
                else None
            ),
        )

    @classmethod
    async def open(
        cls,
        browser: Browser,
        address: str,
        *,
        only: str,
        width_px: int = 720,
        theme: str = "light",
        query: str = "",
    ) -> Gallery:
        """Open the views whose names begin with `only`; `query` is more for the page's address."""
        page = await browser.new_page(
            viewport={"width": width_px, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
        )
        gallery = cls(page)
        await page.goto(f"{address}?theme={theme}&only={only}{query}")
        await page.locator(".cellvoice").first.wait_for()
        return gallery

    async def violations(self) -> list[str]:
        """What axe calls serious or critical: the rule and where."""
        await self.page.add_script_tag(path=AXE)
        found: list[dict[str, Any]] = await self.page.evaluate(
            """async () => (await axe.run(".cellvoice", {
              runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
            })).violations"""
        )
        return [
            f"{rule['id']}: {node['html'][:160]}"
            for rule in found
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"][:3]
        ]
