"""Freezing a turn, with its sound compressed once however often and wherever it is shown."""

from __future__ import annotations

import weakref

from cellvoice.render import Frozen, Place, freeze
from cellvoice.session import Turn

# About 10 KB for a second of speech, and gone with the turn; compressing costs 12 ms a second.
_sounds: weakref.WeakKeyDictionary[Turn, bytes] = weakref.WeakKeyDictionary()


def freeze_once(turn: Turn, where: Place) -> Frozen:
    """As `render.freeze`, for a turn that has ended. May be called from any thread."""
    done = freeze(turn, where, sound=_sounds.get(turn))
    if done.sound is not None:
        _sounds[turn] = done.sound
    return done
