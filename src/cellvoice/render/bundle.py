"""A finished turn as the three MIME types that a notebook keeps, its sound once."""

from __future__ import annotations

import hashlib
import logging
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cellvoice.errors import AudioError
from cellvoice.protocol import mask_keys

from .card import TURN_MIME, Card
from .frozen import SOUND_MIME, frozen
from .html import html
from .text import text
from .turn_like import TurnLike

_log = logging.getLogger(__name__)

# About three and a half minutes of speech. A notebook with ten such cells still opens quickly, and
# JupyterLab's server refuses a file only far above that.
SOUND_CAP_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sound too long for the notebook goes: a folder beside `notebook`."""

    notebook: Path | None = None
    cap_bytes: int = SOUND_CAP_BYTES

    @property
    def folder(self) -> Path:
        """`<notebook>_audio`; `notebook_audio` in the working folder for an unknown notebook."""
        if self.notebook is None:
            return Path("notebook_audio")
        return self.notebook.with_name(f"{self.notebook.stem}_audio")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A turn's vendor form, its compressed sound, and the bundle made of both."""

    card: Card
    sound: bytes | None
    bundle: dict[str, object]
    # How much of the bundle is sound.
    embedded_bytes: int = 0


def bundle(turn: TurnLike, place: Place | None = None) -> dict[str, object]:
    """The vendor form, the HTML twin and the text of a turn, ready to be displayed raw.

    A sound above the cap is written beside the notebook and linked; when that fails it is left out
    and the card says so. Encoding costs about 12 ms of CPU a second of speech.
    """
    return freeze(turn, place).bundle


def freeze(turn: TurnLike, place: Place | None = None, *, sound: bytes | None = None) -> Frozen:
    """As `bundle`, together with the parts it was made of; `sound` from an earlier freezing."""
    place = place or Place()
    clip = turn.reply.clip
    if clip is None:
        card = frozen(turn)
        return Frozen(card, None, _join(card, None))
    try:
        sound = sound if sound is not None else clip.to_bytes("mp3")
    except AudioError as error:
        # Without this the card would stay a widget that nobody answers.
        card = frozen(turn)
        card["notices"].append(
            f"The sound could not be compressed for the notebook ({mask_keys(str(error))}); "
            "turn.clip.write('reply.wav') saves it."
        )
        return Frozen(card, None, _join(card, None))
    if len(sound) * 4 / 3 <= place.cap_bytes:
        card = frozen(turn)
        data_url = f"data:{SOUND_MIME};base64,{b64encode(sound).decode('ascii')}"
        return Frozen(card, sound, _join(card, data_url), embedded_bytes=len(data_url))
    try:
        href = _write_beside(sound, place.folder)
    except OSError as error:
        _log.warning("the sound of turn %s could not be written: %s", turn.id, error)
        card = frozen(turn)
        card["notices"].append(
            f"The sound is too long for the notebook and could not be written to {place.folder} "
            f"({error.strerror or type(error).__name__}); turn.clip.write(path) saves it elsewhere."
        )
        return Frozen(card, sound, _join(card, None))
    card = frozen(turn, href=href)
    return Frozen(card, sound, _join(card, href))


def _write_beside(sound: bytes, folder: Path) -> str:
    """Write the sound under a name made of its content; its URL seen from the notebook."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(sound).hexdigest()[:16]}.mp3"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(sound)
        unfinished.replace(path)
    return quote(f"{folder.name}/{path.name}")


def _join(card: Card, sound_src: str | None) -> dict[str, object]:
    return {
        TURN_MIME: card,
        "text/html": html(card, sound_src=sound_src),
        "text/plain": text(card),
    }
