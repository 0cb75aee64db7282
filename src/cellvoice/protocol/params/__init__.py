"""The parameters of a request: one table, and everything that is read from it."""

from __future__ import annotations

from ._cautions import cautions
from ._check import Tokenize, check, check_all, current_names, nearest, sent_fields
from ._form import form, value_from_text, with_parameters
from ._table import PARAMS, Group, Kind, Param

__all__ = [
    "PARAMS",
    "Group",
    "Kind",
    "Param",
    "Tokenize",
    "cautions",
    "check",
    "check_all",
    "current_names",
    "form",
    "nearest",
    "sent_fields",
    "value_from_text",
    "with_parameters",
]
