"""Every state of every view on one page, without a kernel (`js/gallery`)."""

from __future__ import annotations

import base64
import os
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

_DIFFERENCE = """async ([now, before]) => {
  const read = async (base64) => {
    const answer = await fetch(`data:image/png;base64,${base64}`);
    const picture = await createImageBitmap(await answer.blob());
    const [width, height] = [picture.width >> 3, picture.height >> 3];
    const brush = new OffscreenCanvas(width, height).getContext("2d");
    brush.imageSmoothingQuality = "high";
    brush.drawImage(picture, 0, 0, width, height);
    return { height, data: brush.getImageData(0, 0, width, height).data };
  };
  const [one, other] = await Promise.all([read(now), read(before)]);
  if (Math.abs(one.height - other.height) > 0.03 * other.height) return 1;
  const size = Math.min(one.data.length, other.data.length);
  let far = 0;
  for (let at = 0; at < size; at += 1) far += Math.abs(one.data[at] - other.data[at]);
  return far / size / 255;
}"""

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


def _kept(reference: Path, picture: bytes) -> bytes:
    if os.environ.get("CELLVOICE_REFERENCES") == "write":
        reference.parent.mkdir(exist_ok=True)
        reference.write_bytes(picture)
    return reference.read_bytes()


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
            locale="en-US",
            timezone_id="UTC",
        )
        gallery = cls(page)
        await page.goto(f"{address}?theme={theme}&only={only}{query}")
        await page.locator(".cellvoice").first.wait_for()
        if query == "&open":
            await page.locator("body[data-opened]").wait_for()
        return gallery

    async def difference(self, reference: Path) -> float:
        """How far the page is from a picture of it: 0 for the same, 1 for black against white.

        Both are made small first, because fonts are drawn a little differently everywhere. With
        CELLVOICE_REFERENCES=write the picture is made instead.
        """
        picture = await self.page.locator("body").screenshot(animations="disabled")
        before = _kept(reference, picture)
        found: float = await self.page.evaluate(
            _DIFFERENCE, [base64.b64encode(one).decode() for one in (picture, before)]
        )
        return found

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
