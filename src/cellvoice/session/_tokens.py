"""The tokens of words, for `logit_bias`: by tiktoken, if it is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cellvoice.errors import UsageError
from cellvoice.protocol import Tokenize, facts

if TYPE_CHECKING:
    import tiktoken

__all__ = ["TokenizerOf", "service_tokenizer"]

# By a model's name; nothing is loaded before a word comes.
TokenizerOf = Callable[[str], Tokenize]


def service_tokenizer(model: str) -> Tokenize:
    """The tokens of a text for one of the service's models.

    At the first word tiktoken is loaded, and may fetch its vocabulary from the network. The result
    raises UsageError when it is not installed, knows no such model, or gets no vocabulary.
    """

    def tokenize(text: str) -> Sequence[int]:
        ids: list[int] = _encoding(model, text).encode_ordinary(text)
        return ids

    return tokenize


def _encoding(model: str, word: str) -> tiktoken.Encoding:
    told = f"logit_bias has the word {word!r}"
    try:
        import tiktoken
    except ImportError:
        raise UsageError(
            f"{told}, and there is no tokenizer to find its id; "
            "run pip install 'cellvoice[tokens]', or give token ids"
        ) from None
    known = facts(model)
    try:
        if known is not None and known.vocabulary is not None:
            return tiktoken.get_encoding(known.vocabulary)
        return tiktoken.encoding_for_model(model)
    except KeyError:
        raise UsageError(
            f"{told}, and it is not known which tokens {model} has; give token ids"
        ) from None
    except Exception as error:
        raise UsageError(
            f"{told}, and tiktoken could not get its vocabulary ({type(error).__name__}); "
            "see that the network is there, or give token ids"
        ) from error
