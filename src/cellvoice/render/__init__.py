"""A turn as MIME bundle, static HTML and text."""

from .bundle import SOUND_CAP_BYTES, Frozen, Place, bundle, freeze
from .card import TURN_MIME, Card
from .details import IN_NOTEBOOK, WHOLE, Limits, rounded_words
from .file import turn_file
from .frozen import (
    PEAK_COUNT,
    SOUND_MIME,
    frozen,
    is_marked_as,
    marks,
    rounded_peaks,
    version_ids,
)
from .html import conversation_html, html, sentence_html
from .page import markdown, page
from .text import text
from .turn_like import TurnLike
from .words import dollars, seconds

__all__ = [
    "IN_NOTEBOOK",
    "PEAK_COUNT",
    "SOUND_CAP_BYTES",
    "SOUND_MIME",
    "TURN_MIME",
    "WHOLE",
    "Card",
    "Frozen",
    "Limits",
    "Place",
    "TurnLike",
    "bundle",
    "conversation_html",
    "dollars",
    "freeze",
    "frozen",
    "html",
    "is_marked_as",
    "markdown",
    "marks",
    "page",
    "rounded_peaks",
    "rounded_words",
    "seconds",
    "sentence_html",
    "text",
    "turn_file",
    "version_ids",
]
