"""The models that a server says it has, with the day on which one is to end."""

from __future__ import annotations

from datetime import date

import msgspec

from cellvoice.errors import ProtocolError

from ._json import NotJSON, as_list, as_mapping, as_text, decode

__all__ = ["ListedModel", "models_in"]


class ListedModel(msgspec.Struct, frozen=True):
    """One model of `GET /v1/models`; `shutdown` is None where no day is told."""

    id: str
    shutdown: date | None = None


def models_in(body: bytes) -> tuple[ListedModel, ...]:
    """Read the list, sorted by name; rows without a name count as none.

    Raises ProtocolError when the body is no JSON.
    """
    try:
        found = decode(body)
    except NotJSON as error:
        raise ProtocolError(
            "the list of models is no JSON, expected an object with `data`; check base_url"
        ) from error
    rows = as_list(found) or as_list(as_mapping(found).get("data"))
    named = [as_mapping(row) for row in rows if as_text(as_mapping(row).get("id"))]
    models = [ListedModel(row["id"], _day(row.get("shutdown_date"))) for row in named]
    return tuple(sorted(models, key=lambda model: model.id))


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(as_text(value)[:10])
    except ValueError:
        return None
