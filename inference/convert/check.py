"""Whether a written vocabulary gives the ids of the tokenizer it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.convert.samples import SAMPLES
from inference.errors import UnsupportedArchitectureError
from inference.gguf.vocabulary_file import opened_vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from inference.convert.vocabulary import GgufVocabulary

_MOST_ADDED = 200


def check_vocabulary(path: Path, vocabulary: GgufVocabulary) -> None:
    """Hold a file's ids against the original's, and the tokens that end an answer.

    Args:
        path: A GGUF file; its weights are not looked at.
        vocabulary: What it was written from.

    Raises:
        UnsupportedArchitectureError: They differ; the detail names the first text that does.
    """
    tokenizer = vocabulary.tokenizer
    added = [token.text for token in tokenizer.added.values()][:_MOST_ADDED]
    texts = (*SAMPLES, *(f"one {text} two{text}three" for text in added))
    with opened_vocabulary(path, adds_space=vocabulary.adds_space) as written:
        for text in texts:
            if vocabulary.doubles_space and text.startswith((" ", "\u2581")):
                continue
            expected, found = vocabulary.original_ids(text), written.tokenize(text)
            if expected != found:
                raise _differs(f"{text!r} is {expected}, and {found} in GGUF")
        if tokenizer.bos_id is not None and written.bos_id != tokenizer.bos_id:
            raise _differs(f"a text begins with {tokenizer.bos_id}, and {written.bos_id} in GGUF")
        missing = set(tokenizer.eos_ids) - set(written.eog_ids)
        if missing:
            raise _differs(
                f"an answer ends with {sorted(missing)}, and not in GGUF",
                "would not end its answers at all of its ends",
            )


def _differs(
    detail: str, what: str = "would cut its texts into other tokens"
) -> UnsupportedArchitectureError:
    return UnsupportedArchitectureError(
        f"This model cannot become a GGUF file: llama.cpp {what}.",
        "It runs from its folder as it is.",
        detail,
    )
