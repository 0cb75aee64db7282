"""Start a kernel with the ipykernel of a folder, and see that it is the version it should be.

python scripts/try_kernel.py 7.3.0 .venv/kernels/7.3.0
"""

from __future__ import annotations

import os
import sys
import tempfile

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

TIMEOUT_S = 60


class _FolderKernelManager(KernelManager):
    """A manager whose kernel is this interpreter, without any kernelspec on disk."""

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, language="python", display_name="trial")


def main(version: str, folder: str) -> int:
    """0 when the kernel starts, runs a cell and is of `version`."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "PYTHONPATH": folder, "IPYTHONDIR": scratch}
        manager = _FolderKernelManager(connection_file=f"{scratch}/kernel.json")
        manager.start_kernel(env=environment, cwd=scratch)
        client = manager.blocking_client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=TIMEOUT_S)
            reply = client.execute(
                "pass",
                user_expressions={"v": "__import__('ipykernel').__version__"},
                reply=True,
                timeout=TIMEOUT_S,
            )
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    found = reply["content"]["user_expressions"]["v"]["data"]["text/plain"].strip("'")
    if found != version:
        print(f"expected ipykernel {version} from {folder}, but {found} started", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
