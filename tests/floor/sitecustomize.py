"""With this folder on PYTHONPATH, Python and its children run as if no extra were installed."""

from __future__ import annotations

import sys

for name in ("espeakng_loader", "pocketsphinx"):
    # None stands for a module that can't be imported.
    sys.modules[name] = None  # type: ignore[assignment]
