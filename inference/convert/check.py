"""Whether a written vocabulary gives the ids of the tokenizer it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.convert.samples import SAMPLES
from inference.errors import CorruptCheckpointError, UnsupportedArchitectureError
from inference.gguf.vocabulary_file import opened_vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from inference.convert.vocabulary import GgufVocabulary
    from inference.gguf.vocabulary import Vocabulary
    from inference.native.tokenizer import CheckpointTokenizer

_MOST_ADDED = 200
_NAMED = 4


def check_vocabulary(path: Path, vocabulary: GgufVocabulary) -> tuple[str, ...]:
    """Hold a file's ids against the original's, and the tokens that end an answer.

    Args:
        path: A GGUF file; its weights are not looked at.
        vocabulary: What it was written from.

    Returns:
        Sentences about what differs in small things.

    Raises:
        UnsupportedArchitectureError: They differ; the detail names the first text that does.
    """
    try:
        with opened_vocabulary(path, adds_space=vocabulary.adds_space) as written:
            _compare(written, vocabulary)
            return _swallowing(written, vocabulary.tokenizer)
    except CorruptCheckpointError as exc:  # just written: not the file's fault
        raise _differs(exc.message, "does not read such a vocabulary") from exc


def _compare(written: Vocabulary, vocabulary: GgufVocabulary) -> None:
    tokenizer = vocabulary.tokenizer
    added = [token.text for token in tokenizer.added.values()][:_MOST_ADDED]
    for text in (*SAMPLES, *(f"one {text} two{text}three" for text in added)):
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


def _swallowing(written: Vocabulary, tokenizer: CheckpointTokenizer) -> tuple[str, ...]:
    """Say which special tokens treat the white space beside them otherwise.

    GGUF has no word for it: llama.cpp goes by the model's name, and knows Phi-3's.
    """
    special = [token for token in tokenizer.added.values() if token.special]
    others = [
        token.text
        for token in special
        if token.rstrip != (token.id in written.swallowing) or token.lstrip
    ]
    if not others:
        return ()
    shown = ", ".join(others[:_NAMED])
    return (f"In chats llama.cpp treats white space beside {shown} otherwise than the folder.",)


def _differs(
    detail: str, what: str = "would cut its texts into other tokens"
) -> UnsupportedArchitectureError:
    return UnsupportedArchitectureError(
        f"This model cannot become a GGUF file: llama.cpp {what}.",
        "It runs from its folder as it is.",
        detail,
    )
