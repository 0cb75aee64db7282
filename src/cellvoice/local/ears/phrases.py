"""The ear that needs numpy only: it knows the corpus' questions and finds the one that was said.

It compares shapes of spectra along the best path in time (dynamic time warping). It cannot hear a
word that is in no question, and says so instead of guessing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellvoice.local.corpus import Corpus, load_corpus, spoken_words

from . import Heard
from .features import cepstra, mel_powers, trimmed
from .kinds import kind_of, speech_seconds
from .templates import Templates, make_templates

__all__ = ["Nearest", "PhraseEar"]

Floats = NDArray[np.float32]

# A voice like our own is matched much closer than a stranger's.
_FAMILIAR, _STRANGE = 1.6, 3.0
_LIMIT_FAMILIAR, _LIMIT_STRANGE = 0.5, 0.67

# Nobody takes longer than this times the longest question.
_SLOWEST = 2


@dataclass(frozen=True, slots=True)
class Nearest:
    """A question. `place` is how far it is, from the strangeness of the voice itself (0) to the
    distance of any question (1); at `limit` it is too far to be believed without another witness.
    """

    text: str
    place: float
    limit: float


class PhraseEar:
    """Hears whole questions of the corpus, in English, from any voice it is not too far from."""

    label = "phrase matcher"
    part = "phrases"

    def __init__(self, corpus_path: Path | None = None, *, corpus: Corpus | None = None) -> None:
        corpus = corpus or load_corpus(corpus_path)
        self._texts = [" ".join(spoken_words(text)) for _, text in corpus.questions()]
        self._topics = np.array([topic for topic, _ in corpus.questions()])
        self._lock = threading.Lock()
        self._templates: Templates | None = None

    def warm_up(self) -> None:
        """Make the templates: a third of a second for the engine's own corpus."""
        self._ready()

    def hear(self, samples: Floats) -> Heard:
        """The question in mono samples at 16 kHz; `text` is None if it is none of those known."""
        kind = kind_of(samples)
        if kind != "speech":
            return Heard("", 0.0, kind)
        found = self.nearest(samples)
        known = found is not None and found.place < found.limit
        return Heard(found.text if found and known else None, speech_seconds(samples))

    def nearest(self, samples: Floats) -> Nearest | None:
        """The corpus' question that these samples are nearest to, and how near; None if none is
        of such a length.
        """
        asked = cepstra(trimmed(mel_powers(samples)))
        templates = self._ready()
        if asked.shape[0] > _SLOWEST * templates.frames.shape[1]:
            return None
        by_throat = path_distances(asked, templates).reshape(-1, len(self._texts))
        distances = by_throat.min(axis=0)
        best = int(np.argmin(distances))
        others = distances[(self._topics != self._topics[best]) & np.isfinite(distances)]
        if not np.isfinite(distances[best]):
            return None
        strangeness = _strangeness(asked, templates.all_frames())
        typical = float(np.median(others)) if others.size else strangeness + 1.0
        place = (float(distances[best]) - strangeness) / max(1e-6, typical - strangeness)
        share = np.clip((strangeness - _FAMILIAR) / (_STRANGE - _FAMILIAR), 0.0, 1.0)
        limit = _LIMIT_FAMILIAR + (_LIMIT_STRANGE - _LIMIT_FAMILIAR) * float(share)
        return Nearest(self._texts[best], place, limit)

    def close(self) -> None:
        """Nothing to end."""

    def _ready(self) -> Templates:
        with self._lock:
            if self._templates is None:
                self._templates = make_templates(self._texts)
            return self._templates


def path_distances(asked: Floats, templates: Templates) -> Floats:
    """The mean distance of each row of `asked` along the best path through each template.

    A path advances 0, 1 or 2 rows of the template with every row of `asked`, so all paths have
    the same length and can be compared; a template that is too long to be reached is infinite.
    """
    frames = templates.frames
    count, longest, width = frames.shape
    flat, squares = frames.reshape(-1, width), np.square(frames).sum(axis=2)
    cost = np.full((count, longest), np.inf, dtype=np.float32)
    for at, row in enumerate(asked):
        squared = squares - 2 * (flat @ row).reshape(count, longest) + row @ row
        distance = np.sqrt(np.maximum(squared, 0.0))
        if at == 0:
            cost[:, :2] = distance[:, :2]
            continue
        reached = cost.copy()
        reached[:, 1:] = np.minimum(reached[:, 1:], cost[:, :-1])
        reached[:, 2:] = np.minimum(reached[:, 2:], cost[:, :-2])
        cost = distance + reached
    which = np.arange(count)
    last = np.minimum(
        cost[which, templates.lengths - 1], cost[which, np.maximum(templates.lengths - 2, 0)]
    )
    return np.asarray(last / asked.shape[0], dtype=np.float32)


def _strangeness(asked: Floats, known: Floats) -> float:
    """How far this voice is from ours, whatever it says: the mean distance to the nearest row."""
    squared = (
        np.square(asked).sum(axis=1)[:, None]
        - 2 * asked @ known.T
        + np.square(known).sum(axis=1)[None, :]
    )
    return float(np.sqrt(np.maximum(squared.min(axis=1), 0.0)).mean())
