"""What tokens cost, as dated data, and the caller's own prices before it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final

import msgspec

from cellvoice.errors import UsageError

__all__ = ["AZURE", "FREE", "PriceList", "Prices", "base_name", "is_engine", "published_prices"]

# Where a price can differ from the service's own.
AZURE: Final = "azure"
_ENGINE_PREFIX = "cellvoice-engine-"
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars per million tokens, as seen on the day `seen` at `source`.

    `cached_text_in_usd` is for text that the service had kept; None is no discount.
    """

    text_in_usd: float
    text_out_usd: float
    audio_in_usd: float
    audio_out_usd: float
    cached_text_in_usd: float | None = None
    seen: date | None = None
    source: str = ""

    def __post_init__(self) -> None:
        for name in _AMOUNTS:
            value = getattr(self, name)
            if not _is_amount(value) and not (value is None and name == "cached_text_in_usd"):
                raise UsageError(
                    f"Prices({name}={value!r}): expected US dollars per million tokens, 0 or more"
                )


_AMOUNTS = ("text_in_usd", "text_out_usd", "audio_in_usd", "audio_out_usd", "cached_text_in_usd")


def _is_amount(value: object) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return math.isfinite(value) and value >= 0


def _published(
    text_in: float, text_out: float, audio_in: float, audio_out: float, source: str
) -> Prices:
    return Prices(
        text_in_usd=text_in,
        text_out_usd=text_out,
        audio_in_usd=audio_in,
        audio_out_usd=audio_out,
        seen=date(2026, 11, 22),
        source=source,
    )


_PAGE = "the model's page at developers.openai.com"
_LITELLM = "litellm 1.109.1, model_prices_and_context_window_backup.json"
FREE: Final = _published(0.0, 0.0, 0.0, 0.0, "it runs on this machine")
_SERVICE: Final = MappingProxyType(
    {
        "gpt-audio": _published(2.50, 10.00, 32.00, 64.00, _PAGE),
        "gpt-audio-1.5": _published(2.50, 10.00, 32.00, 64.00, _PAGE),
        # The page lists the prices of text only; those of sound are litellm's.
        "gpt-audio-mini": _published(0.60, 2.40, 10.00, 20.00, f"{_PAGE}; sound: {_LITELLM}"),
        # Retired; recordings and older servers still name it.
        "gpt-4o-audio-preview": _published(2.50, 10.00, 40.00, 80.00, _LITELLM),
    }
)
_AT_AZURE: Final = MappingProxyType(
    {
        "gpt-audio": _published(2.50, 10.00, 40.00, 80.00, f"{_LITELLM}, azure/gpt-audio"),
        "gpt-audio-1.5": _published(2.50, 10.00, 32.00, 64.00, f"{_LITELLM}, azure/gpt-audio-1.5"),
    }
)


def base_name(model: str) -> str:
    """The model's name without the date of a snapshot."""
    return _SNAPSHOT.sub("", model)


def is_engine(model: str) -> bool:
    """Whether it is the embedded engine that answers by this name."""
    return model.startswith(_ENGINE_PREFIX)


def published_prices(model: str, place: str = "") -> Prices | None:
    """The published prices of a model or dated snapshot, or None if none are known.

    `place` is `AZURE` for its addresses; what is not known to differ there costs the same.
    """
    if is_engine(model):
        return FREE
    found = _AT_AZURE.get(base_name(model)) if place == AZURE else None
    return found or _SERVICE.get(base_name(model))


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices that hold for one session: the caller's own, then the published ones."""

    own: Mapping[str, Prices] = field(default_factory=lambda: MappingProxyType({}))
    # For every model that `own` does not name.
    others: Prices | None = None
    place: str = ""

    @classmethod
    def of(cls, choice: object, place: str = "") -> PriceList:
        """What `prices=` asks for: Prices, or a mapping of models' names to Prices.

        Raises UsageError for anything else.
        """
        if choice is None:
            return cls(place=place)
        if isinstance(choice, Prices):
            return cls(others=choice, place=place)
        if not isinstance(choice, Mapping):
            raise UsageError(
                f"prices={choice!r}: expected cv.Prices(text_in_usd=…, text_out_usd=…, "
                "audio_in_usd=…, audio_out_usd=…), or a mapping of models' names to such"
            )
        for name, value in choice.items():
            if not isinstance(name, str) or not isinstance(value, Prices):
                raise UsageError(
                    f"prices={{{name!r}: {value!r}}}: expected a model's name and cv.Prices(…)"
                )
        return cls(own=MappingProxyType(dict(choice)), place=place)

    def for_model(self, model: str) -> Prices | None:
        """The prices of a model, or None if none are known; the embedded engine is free."""
        if is_engine(model):
            return FREE
        own = self.own.get(model) or self.own.get(base_name(model))
        return own or self.others or published_prices(model, self.place)
