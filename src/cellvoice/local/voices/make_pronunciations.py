"""Write `pronunciations.txt` anew after the corpus has changed.

`python -m cellvoice.local.voices.make_pronunciations`, where pocketsphinx is installed: the words
of the corpus and their ARPAbet sounds come from the CMU Pronouncing Dictionary that it carries.
"""

from __future__ import annotations

from pathlib import Path

from cellvoice.local.corpus import load_corpus, spoken_words
from cellvoice.local.model import UNKNOWN_ANSWERS

__all__ = ["main"]

_HEAD = """\
# Words of the corpus in ARPAbet, from the CMU Pronouncing Dictionary as pocketsphinx 5.1.1 ships it
# (cmudict-en-us.dict). Copyright (C) 1993-2015 Carnegie Mellon University. All rights reserved.
# Redistribution and use in source and binary forms, with or without modification, are permitted
# provided that the copyright notice and the licence's list of conditions are kept (BSD-2-Clause).
# Made by make_pronunciations.py; words that the dictionary lacks are read by rule.
"""
_NOTICES = (
    "I heard speech, not transcribed: no recogniser is installed. Install cell voice engine, or "
    "type the question. I heard nothing. Please speak a little louder, and again. "
    "zero one two three four five six seven eight nine ten point minus"
)


def main() -> None:
    """Take the corpus' words out of the dictionary."""
    import pocketsphinx

    corpus = load_corpus()
    texts = [answer for topic in corpus.topics for answer in topic.answers]
    texts += [*(question for _, question in corpus.questions()), *UNKNOWN_ANSWERS, _NOTICES]
    words = {word for text in texts for word in spoken_words(text)}
    dictionary = Path(pocketsphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict"
    with dictionary.open(encoding="utf-8") as file:
        lines = sorted(line.strip() for line in file if line.split(None, 1)[0] in words)
    target = Path(__file__).with_name("pronunciations.txt")
    target.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
