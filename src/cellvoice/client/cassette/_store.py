"""Where a cassette lies: a folder that grows, or the same in one zip file, to be read only."""

from __future__ import annotations

import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cellvoice.errors import UsageError
from cellvoice.protocol.taped_sound import StoredSound, is_sound_name

__all__ = ["INDEX", "Folder", "Zip", "exchange_name", "pack", "store_at", "write_whole"]

INDEX: Final = "index.json"
_EXCHANGE: Final = re.compile(r"exchanges/(\d{4,9})\.jsonl")
# Unchanged content packs to an unchanged file; zip knows no earlier date.
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)


def store_at(path: Path) -> Folder | Zip:
    """The cassette at a path; a folder's name also finds the zip file beside it."""
    if path.suffix.lower() == ".zip":
        return Zip(path)
    beside = path.with_name(f"{path.name}.zip")
    return Zip(beside) if beside.is_file() and not path.is_dir() else Folder(path)


def exchange_name(number: int) -> str:
    """The name of an exchange's file."""
    return f"exchanges/{number:04d}.jsonl"


class Zip:
    """A packed cassette."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        return self.path.is_file()

    def exchanges(self) -> dict[int, str]:
        return _numbered(self._names())

    def sounds(self) -> list[str]:
        return [name for name in self._names() if is_sound_name(name.removeprefix("sound/"))]

    def read(self, name: str) -> bytes:
        try:
            with zipfile.ZipFile(self.path) as packed:
                return packed.read(name)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise UsageError(_unreadable(self.path, name)) from error

    def _names(self) -> list[str]:
        try:
            with zipfile.ZipFile(self.path) as packed:
                return packed.namelist()
        except (OSError, zipfile.BadZipFile) as error:
            raise UsageError(
                f"{self.path} cannot be read as a packed cassette, expected a zip file made by "
                "Cassette.pack; copy it again"
            ) from error


class Folder:
    """A cassette that can be read and written. Every file is whole or not there, but for the one
    exchange that is being recorded, and of that every line is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        return any(self.exchanges()) or (self.path / INDEX).is_file()

    def exchanges(self) -> dict[int, str]:
        return _numbered(f"exchanges/{found.name}" for found in self._listed("exchanges"))

    def sounds(self) -> list[str]:
        return [f"sound/{one.name}" for one in self._listed("sound") if is_sound_name(one.name)]

    def read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise UsageError(_unreadable(self.path, name)) from error

    def claim(self) -> tuple[int, Path]:
        """Make the file of a new exchange; no other process gets the same. Raises OSError."""
        (self.path / "exchanges").mkdir(parents=True, exist_ok=True)
        number = max(self.exchanges(), default=0)
        while True:
            number += 1
            path = self.path / exchange_name(number)
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                continue
            return number, path

    def keep(self, sound: StoredSound) -> None:
        """Write a sound unless it is there. Raises OSError."""
        path = self.path / "sound" / sound.name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            write_whole(path, sound.data)

    def clear(self) -> None:
        """Remove the recording, and nothing else that may lie here. Raises OSError."""
        for name in [*self.exchanges().values(), *self.sounds(), INDEX]:
            (self.path / name).unlink(missing_ok=True)

    def _listed(self, folder: str) -> list[Path]:
        try:
            return sorted((self.path / folder).iterdir())
        except OSError:
            return []


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in its place in one step, so that a reader sees the old one or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is for its owner alone; a lesson is for whoever may read the folder.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def pack(store: Folder | Zip, target: Path) -> None:
    """Write all of a cassette to one zip file. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    os.close(handle)
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in _names_in(store):
                entry = zipfile.ZipInfo(name, _ZIP_DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(entry, store.read(name))
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _names_in(store: Folder | Zip) -> Iterator[str]:
    """Every file that belongs to the cassette, in order."""
    yield INDEX
    yield from store.exchanges().values()
    yield from sorted(store.sounds())


def _numbered(names: Iterator[str] | list[str]) -> dict[int, str]:
    found = {}
    for name in names:
        match = _EXCHANGE.fullmatch(name)
        if match:
            found[int(match[1])] = name
    return dict(sorted(found.items()))


def _unreadable(path: Path, name: str) -> str:
    return (
        f"the cassette {path} has no readable {name}, which its recording names; "
        "copy the whole folder again"
    )
