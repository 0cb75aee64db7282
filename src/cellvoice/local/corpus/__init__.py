"""What the engine knows: topics with spoken questions and paraphrased answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cellvoice.errors import UsageError

__all__ = [
    "Corpus",
    "Topic",
    "UNKNOWN_ANSWERS",
    "load_corpus",
    "parse_corpus",
    "spoken_words",
]

UNKNOWN_ANSWERS = (
    "I do not know that. I am a small engine with about two hundred topics, not the real model.",
    "That is outside the few topics I know. Ask me about sound, capital cities or statistics.",
)
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Topic:
    """Ways to ask one thing, and ways to answer it; `repeats` says the previous reply again.

    `language` is the language of the answers, by its English name in lower case.
    """

    questions: tuple[str, ...]
    answers: tuple[str, ...]
    repeats: bool = False
    language: str = "english"


@dataclass(frozen=True, slots=True)
class Corpus:
    """All topics, and the opening phrases that teach the ear but have no answer."""

    topics: tuple[Topic, ...]
    openings: tuple[str, ...]

    def questions(self) -> Iterator[tuple[int, str]]:
        """Every question with the number of its topic."""
        for number, topic in enumerate(self.topics):
            for question in topic.questions:
                yield number, question

    def texts(self) -> Iterator[str]:
        """Every question and every answer: what the engine has words for."""
        for topic in self.topics:
            yield from topic.questions
            yield from topic.answers


def spoken_words(text: str) -> list[str]:
    """The words of `text` as one would say them: lower case, no punctuation."""
    kept = "".join(c if c.isalnum() or c == "'" else " " for c in text.lower())
    return [word.strip("'") for word in kept.split() if word.strip("'")]


def parse_corpus(text: str, name: str = "corpus") -> Corpus:
    """Read the format described at the top of `topics.txt`. Raises UsageError with the line."""
    topics: list[Topic] = []
    openings: list[str] = []
    block: dict[str, list[str]] = {"?": [], "=": [], "!": []}
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        mark, _, rest = line.strip().partition(" ")
        if mark.startswith("#"):
            continue
        if mark == "~":
            openings.append(rest.strip())
        elif mark in block:
            block[mark].append(rest.strip())
        elif mark:
            raise UsageError(
                f"{name}, line {number}: a line starts with '?', '=', '!', '~' or '#', "
                f"not with {mark[:20]!r}; see src/cellvoice/local/corpus/topics.txt"
            )
        elif any(block.values()):
            topics.append(_topic(block, f"{name}, block before line {number}"))
            block = {"?": [], "=": [], "!": []}
    if not topics:
        raise UsageError(f"{name} has no topics; write at least one '?' and one '=' line")
    return Corpus(tuple(topics), tuple(openings))


def load_corpus(path: Path | None = None) -> Corpus:
    """The corpus at `path` (a file, or a folder of `.txt` files), or the engine's own."""
    chosen = path or _FOLDER
    files = sorted(chosen.glob("*.txt")) if chosen.is_dir() else [chosen]
    if not files:
        raise UsageError(
            f"the folder {chosen} has no .txt file; a corpus is one or several of them"
        )
    parts = [_read(file) for file in files]
    return Corpus(
        tuple(topic for part in parts for topic in part.topics),
        tuple(opening for part in parts for opening in part.openings),
    )


def _read(file: Path) -> Corpus:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the corpus {file} cannot be read: {error}") from error
    return parse_corpus(text, file.name)


def _topic(block: dict[str, list[str]], where: str) -> Topic:
    if not block["?"] or not block["="]:
        raise UsageError(f"{where}: a topic needs at least one '?' line and one '=' line")
    language = "english"
    for mark in block["!"]:
        kind, _, name = mark.partition(" ")
        if kind == "language" and name:
            language = name.strip().lower()
        elif mark != "repeat":
            raise UsageError(
                f"{where}: '! {mark[:30]}' is neither '! repeat' nor '! language NAME'"
            )
    return Topic(tuple(block["?"]), tuple(block["="]), "repeat" in block["!"], language)
