"""The settings of a session: read, and changed for the turns to come."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from cellvoice.protocol import with_parameters

from ._caller import by_current_names
from ._part import SessionPart

if TYPE_CHECKING:
    from ._asking import Voice

__all__ = ["Configuring"]


class Configuring(SessionPart):
    """The part of a `Session` that holds what its turns are asked with."""

    @property
    def model(self) -> str:
        """The model that is asked; can be set, and then holds from the next turn on."""
        return self._asking.settings.model

    @model.setter
    def model(self, model: str) -> None:
        self.configure(model=model)

    @property
    def voice(self) -> str | None:
        """The voice that answers, None for written answers; can be set, from the next turn on.

        A custom voice is set as `{"id": "voice_…"}` and read as its id.
        """
        return self._asking.settings.voice_name

    @voice.setter
    def voice(self, voice: Voice | None) -> None:
        self.configure(voice=voice)

    @property
    def system(self) -> str | None:
        """What the model is told about how to answer; can be set, from the next turn on."""
        return self._asking.settings.system

    @system.setter
    def system(self, system: str | None) -> None:
        self.configure(system=system)

    @property
    def parameters(self) -> Mapping[str, object]:
        """The service's parameters that every turn is asked with."""
        return MappingProxyType(dict(self._asking.settings.params))

    @with_parameters
    def configure(self, **settings: object) -> None:
        """Change settings from the next turn on: `model`, `voice`, `system`, `history`,
        `audio_turns`, `guard`, parameters.

        None unsets one; without a voice the answers are written. Raises UsageError if one of them
        can't be, and then none is changed.
        """
        self._asking.settings = self._asking.settings.changed(by_current_names(settings))

    def settings_values(self) -> dict[str, object]:
        """All that is set, JSON-ready, for a panel or a file; `configure(**values)` sets it again.

        A class given as `schema` is there as its JSON schema.
        """
        values: dict[str, object] = copy.deepcopy(self._asking.settings.values())
        return values
