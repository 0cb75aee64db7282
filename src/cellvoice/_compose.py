"""The one place that joins the rooms: the default surface and the default engine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cellvoice.errors import CellvoiceError, EngineError
from cellvoice.session import Endpoint

if TYPE_CHECKING:
    from cellvoice.session import Session, Surface, Turn

__all__ = [
    "engine",
    "engine_tokens",
    "execution",
    "html_page",
    "markdown_text",
    "surface",
    "turn_file",
]


def surface() -> Surface | None:
    """The notebook, when the caller runs in a kernel of Jupyter or marimo; None anywhere else."""
    if _kernel_shell() is not None:
        from cellvoice import notebook

        return notebook.surface()
    if _in_marimo():
        from cellvoice.notebook import marimo

        return marimo.surface()
    return None


def execution() -> str | None:
    """A name of the run of the caller's cell, which no two runs share, or None without a kernel.

    In Jupyter it is the id of the execute request.
    """
    if _in_marimo():
        from cellvoice.notebook import marimo

        return marimo.execution()
    shell = _kernel_shell()
    if shell is None:
        return None
    try:
        parent = shell.get_parent()
        found = parent["header"]["msg_id"]
    except (AttributeError, KeyError, LookupError, TypeError):
        return None  # called before the first request, or on a thread without a parent
    return found if isinstance(found, str) else None


def engine() -> Endpoint:
    """The embedded engine of this process, started if it does not run. Blocks while it starts."""
    try:
        from cellvoice import local

        running = local.shared_engine()
        return Endpoint(running.base_url, running.api_key)
    except CellvoiceError:
        raise
    except ImportError as error:
        raise EngineError(
            f"the embedded engine needs {error.name or 'a package'}, which is not installed; "
            "install it with pip install 'cellvoice[engine]', or set OPENAI_API_KEY to use "
            "gpt-audio"
        ) from error
    except Exception as error:
        raise EngineError(
            f"the embedded engine did not start ({type(error).__name__}: {error}); "
            "set OPENAI_API_KEY to use gpt-audio, or pass base_url= of another server"
        ) from error


def engine_tokens(text: str) -> Sequence[int]:
    """The ids of a text's tokens for the embedded engine, whose vocabulary is its own."""
    from cellvoice.local.vocabulary import own_tokens

    return own_tokens(text)


def html_page(session: Session) -> str:
    """The conversation as one HTML page, sound included."""
    from cellvoice import render

    return render.page(session.turns, title=session.name or session.id)


def markdown_text(session: Session) -> str:
    """The conversation as Markdown."""
    from cellvoice import render

    return render.markdown(session.turns, title=session.name or session.id)


def turn_file(turn: Turn) -> str:
    """One turn as the JSON of a `.turn.json` file, sound included."""
    from cellvoice import render

    return render.turn_file(turn)


def _kernel_shell() -> Any | None:
    """IPython's shell if it runs in a kernel. IPython is not imported for this."""
    ipython = sys.modules.get("IPython")
    if ipython is None:
        return None
    get_ipython = getattr(ipython, "get_ipython", None)
    shell = get_ipython() if get_ipython is not None else None
    return shell if getattr(shell, "kernel", None) is not None else None


def _in_marimo() -> bool:
    """Whether the calling thread is that of a marimo kernel. marimo is not imported for this."""
    marimo = sys.modules.get("marimo")
    return bool(getattr(marimo, "running_in_notebook", lambda: False)())
