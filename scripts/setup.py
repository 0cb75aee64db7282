"""The part of scripts/setup that runs in .venv; a stage is skipped while its inputs stay equal."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / ".cellvoice"
LABEXTENSION = ROOT / "src/cellvoice/_static/labextension"
REQUIREMENTS = ROOT / "requirements"
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
# The venv's node counts when the machine's own is missing or too old.
SEARCH_PATH = os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", os.defpath)])
LINES_SHOWN = 30
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class SetupError(Exception):
    """What is missing on this machine, and what to do."""


def main(arguments: list[str]) -> int:
    """Run the stages that are due; 0 when the environment is complete."""
    if arguments not in ([], ["demo"]):
        print("usage: scripts/setup [demo]", file=sys.stderr)
        return 2
    began = time.monotonic()
    try:
        with _one_at_a_time():
            done = [name for name, stage in _stages(arguments) if _run(name, stage)]
    except subprocess.CalledProcessError as error:
        command = " ".join(str(part) for part in error.cmd)
        print(f"setup stopped: `{command}` failed with status {error.returncode}", file=sys.stderr)
        return 1
    except (SetupError, RuntimeError) as error:
        print(f"setup stopped: {error}", file=sys.stderr)
        return 1
    what = "set up" if done else "set up already, nothing changed"
    print(f"{what} ({time.monotonic() - began:.1f} s)", flush=True)
    return 0


# A stage looks at its inputs and returns the work that is due, or None.
Work = Callable[[], None]
Stage = Callable[[], Work | None]


def _stages(arguments: list[str]) -> list[tuple[str, Stage]]:
    stages: list[tuple[str, Stage]] = [
        ("install Python packages", _python_packages),
        ("install node", _node),
        ("install npm packages", _npm_packages),
        ("build JavaScript", _javascript),
        ("install cellvoice", _project),
        ("place the JupyterLab extension", _labextension),
    ]
    if "demo" not in arguments:
        stages.append(("install older kernels", _kernels))
        stages.append(("install marimo", _marimo))
        stages.append(("install Chromium", _chromium))
    return stages


def _run(name: str, stage: Stage) -> bool:
    work = stage()
    if work is None:
        return False
    print(f"{name} …", end=" ", flush=True)
    began = time.monotonic()
    try:
        work()
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - began:.1f} s", flush=True)
    return True


def _python_packages() -> Work | None:
    digest = _digest([REQUIREMENTS / "dev.txt"], sys.version)
    return _unless_stamped("python", digest, lambda: _pip_locked(REQUIREMENTS / "dev.txt"))


def _node() -> Work | None:
    from hatch_build import fit_node  # hatchling is there once the first stage has run

    if fit_node(SEARCH_PATH) is not None:
        return None
    return lambda: _pip_locked(REQUIREMENTS / "node.txt")


def _npm_packages() -> Work | None:
    from hatch_build import install_node_packages, node_environment, node_packages_are_current

    if node_packages_are_current(ROOT):
        return None
    return lambda: install_node_packages(ROOT, node_environment(SEARCH_PATH))


def _javascript() -> Work | None:
    from hatch_build import build_js, js_is_built

    digest = _digest(_javascript_inputs())
    if not js_is_built(ROOT):
        _stamp("javascript").unlink(missing_ok=True)
    return _unless_stamped("javascript", digest, lambda: build_js(ROOT, SEARCH_PATH))


def _javascript_inputs() -> Iterator[Path]:
    for name in ("package.json", "package-lock.json", "tsconfig.json", "hatch_build.py"):
        yield ROOT / name
    for path in sorted((ROOT / "js").rglob("*")):
        if path.is_file() and path.relative_to(ROOT).parts[1] not in ("gallery", "test"):
            yield path


def _project() -> Work | None:
    names = ("pyproject.toml", "package.json", "hatch_build.py", "install.json")
    digest = _digest([ROOT / name for name in names], str(ROOT))

    def install() -> None:
        _call([*PIP, "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
        _call([*PIP, "check"])

    return _unless_stamped("project", digest, install)


def _labextension() -> Work | None:
    """An editable install copies the extension once; a later build of it has to follow."""
    placed = VENV / "share/jupyter/labextensions/cellvoice"
    digest = _digest(sorted(path for path in LABEXTENSION.rglob("*") if path.is_file()))
    if not (placed / "package.json").is_file():
        _stamp("labextension").unlink(missing_ok=True)

    def place() -> None:
        shutil.rmtree(placed, ignore_errors=True)
        shutil.copytree(LABEXTENSION, placed)
        shutil.copy(ROOT / "install.json", placed)

    return _unless_stamped("labextension", digest, place)


def _kernels() -> Work | None:
    """Other versions of ipykernel, each in a folder for PYTHONPATH and started once as a proof."""
    digest = _digest([REQUIREMENTS / "kernels.txt", REQUIREMENTS / "dev.txt"])
    wanted = dict(_kernel_lines())
    if not all((VENV / "kernels" / version).is_dir() for version in wanted):
        _stamp("kernels").unlink(missing_ok=True)

    def install() -> None:
        shutil.rmtree(VENV / "kernels", ignore_errors=True)
        for version, more in wanted.items():
            folder = VENV / "kernels" / version
            packages = [f"ipykernel=={version}", *more]
            _call([*PIP, "install", "--no-deps", "--target", str(folder), *packages])
            _call([sys.executable, str(ROOT / "scripts/try_kernel.py"), version, str(folder)])

    return _unless_stamped("kernels", digest, install)


def _kernel_lines() -> Iterator[tuple[str, list[str]]]:
    for line in (REQUIREMENTS / "kernels.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            version, _, more = line.partition(":")
            yield version, more.split()


def _marimo() -> Work | None:
    """The other host, in a folder for PYTHONPATH and loaded once as a proof."""
    folder = VENV / "hosts/marimo"
    lock = REQUIREMENTS / "marimo.txt"
    if not (folder / "marimo").is_dir():
        _stamp("marimo").unlink(missing_ok=True)

    def install() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        # Most of it is never loaded, so it is compiled when it is.
        into = ["--no-deps", "--no-compile", "--target", str(folder)]
        _call([*PIP, "install", *into, "--requirement", str(lock)])
        environment = ["env", f"PYTHONPATH={folder}"]
        _call([*environment, sys.executable, "-m", "marimo", "--version"])

    return _unless_stamped(
        "marimo", _digest([lock, REQUIREMENTS / "dev.txt"], sys.version), install
    )


def _chromium() -> Work | None:
    if any(shutil.which(name) for name in CHROMIUM_NAMES):
        return None
    return _install_chromium


def _install_chromium() -> None:
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    manual = "the browser tests need Chromium; run: apt-get install chromium, then run this again"
    if shutil.which("apt-get") is None or (as_root and not _succeeds([*as_root, "true"])):
        raise SetupError(manual)
    quietly = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]
    try:
        _call([*as_root, *quietly, "update"])
        _call([*as_root, *quietly, "install", "--no-install-recommends", "chromium"])
    except subprocess.CalledProcessError as error:
        raise SetupError(f"apt-get could not install it ({error}); {manual}") from error


def _pip_locked(lock: Path) -> None:
    # The lock is complete, so nothing is resolved and nothing newer can slip in.
    _call([*PIP, "install", "--no-deps", "--requirement", str(lock)])


def _call(command: list[str]) -> None:
    """Run quietly; on failure show the end of what the command said."""
    result = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        print("", *result.stdout.splitlines()[-LINES_SHOWN:], sep="\n", flush=True)
        raise subprocess.CalledProcessError(result.returncode, command)


def _succeeds(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    quiet = subprocess.DEVNULL
    return (
        subprocess.run(command, stdin=quiet, stdout=quiet, stderr=quiet, check=False).returncode
        == 0
    )


def _digest(paths: Iterable[Path], *more: str) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for text in more:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def _stamp(name: str) -> Path:
    return STAMPS / name


def _unless_stamped(name: str, digest: str, work: Work) -> Work | None:
    stamp = _stamp(name)
    if stamp.is_file() and stamp.read_text(encoding="ascii") == digest:
        return None

    def work_then_stamp() -> None:
        stamp.unlink(missing_ok=True)
        work()
        stamp.write_text(digest, encoding="ascii")

    return work_then_stamp


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two scripts started together must not install into one venv at once."""
    STAMPS.mkdir(exist_ok=True)
    with (STAMPS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    # For hatch_build.py, which knows how the JavaScript is built.
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
