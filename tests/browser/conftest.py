"""One server and one browser for all browser tests; a page and a kernel for each."""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright

from .lab import TAP, NotebookPage
from .server import KERNELS, LABEXTENSION, OLD_KERNELS, ROOT, WIDGET, LabServer, kernel_name
from .sound import Samples, read_wav

QUESTION = ROOT / "notebooks/question.wav"
QUESTION_WORDS = "what is the capital of france"
NEWEST = version("ipykernel")

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    f"--use-file-for-fake-audio-capture={QUESTION}%noloop",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All browser tests share the loop that the browser lives on, and may take longer."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            if inspect.iscoroutinefunction(getattr(item, "function", None)):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.timeout(180))


@pytest.fixture(scope="session")
def built() -> None:
    """The built front end and the older kernels that the tests need."""
    missing = [str(path) for path in (WIDGET, LABEXTENSION / "package.json") if not path.exists()]
    missing += [str(KERNELS / old) for old in OLD_KERNELS if not (KERNELS / old).exists()]
    if missing:
        pytest.fail(f"not there: {', '.join(missing)}; run scripts/setup and scripts/build first")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LabServer]:
    """JupyterLab on a free port of 127.0.0.1."""
    lab = await LabServer.start(tmp_path_factory.mktemp("lab"), NEWEST)
    yield lab
    await lab.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    """Playwright's driver."""
    async with async_playwright() as driver:
        yield driver


async def launch(playwright: Playwright, *, without: tuple[str, ...] = ()) -> Browser:
    """Start Chromium; its fake microphone speaks the shipped question each time it is opened."""
    return await playwright.chromium.launch(
        executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
        args=[flag for flag in _FLAGS if not flag.startswith(without or ("-no-",))],
        ignore_default_args=["--mute-audio"],
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(playwright: Playwright) -> AsyncIterator[Browser]:
    """One Chromium for all tests."""
    chromium = await launch(playwright)
    yield chromium
    await chromium.close()


NewContext = Callable[..., Awaitable[BrowserContext]]


@pytest_asyncio.fixture(loop_scope="session")
async def new_context(browser: Browser, server: LabServer) -> AsyncIterator[NewContext]:
    """Make a browser context, closed after the test; `microphone=False` denies it to the site."""
    async with AsyncExitStack() as stack:

        async def make(*, microphone: bool = True, **options: object) -> BrowserContext:
            context = await browser.new_context(viewport={"width": 1200, "height": 900}, **options)  # type: ignore[arg-type]
            stack.push_async_callback(context.close)
            await context.grant_permissions(["microphone"] if microphone else [], origin=server.url)
            await context.add_init_script(path=TAP)
            return context

        yield make


OpenNotebook = Callable[..., Awaitable[NotebookPage]]


@pytest_asyncio.fixture(loop_scope="session")
async def open_notebook(
    new_context: NewContext, server: LabServer, request: pytest.FixtureRequest
) -> AsyncIterator[OpenNotebook]:
    """Write a notebook with these cells, open it and wait for its kernel.

    After the test its kernel is ended, and no error of ours may stand in the page's console.
    """
    pages: list[NotebookPage] = []

    async def make(
        *cells: str,
        ipykernel: str = NEWEST,
        realtime: bool = False,
        context: BrowserContext | None = None,
    ) -> NotebookPage:
        path = f"{request.node.name.replace('[', '-').replace(']', '')}.ipynb"
        server.write_notebook(path, list(cells), kernel_name(ipykernel, realtime=realtime))
        notebook = await NotebookPage.open(context or await new_context(), server, path)
        pages.append(notebook)
        await notebook.kernel_ready()
        return notebook

    yield make
    for page in pages:
        await server.shut_down_kernel(page.path)
    assert [complaint for page in pages for complaint in page.complaints] == []


@pytest.fixture(scope="session")
def question() -> Samples:
    """The samples of the question that the fake microphone speaks."""
    return read_wav(QUESTION)
