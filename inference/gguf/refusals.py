"""llama.cpp's refusals as sentences: the one place where its log becomes an ``InferenceError``.

llama.cpp answers with NULL and says why only in its log, so its words have to be matched here. What
matches nothing is passed on in llama.cpp's own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from inference.errors import (
    CorruptCheckpointError,
    InferenceError,
    ModelNotFoundError,
    OutOfMemoryError,
    UnsupportedArchitectureError,
    UnsupportedRequestError,
)
from inference.library.gguf_header import read_header

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from inference.library.gguf_header import GgufHeader

_DETAIL_LINES: Final = 20

_DOWNLOAD_AGAIN: Final = "Download the file again, or choose another model."
_OTHER_MODEL: Final = "Choose another model, or look for a newer version of this app."
_SMALLER: Final = "Choose a smaller model or a smaller context, or close other programs."


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A pattern in the log; ``{0}`` in the sentence is its first group."""

    pattern: re.Pattern[str]
    error: type[InferenceError]
    sentence: str
    hint: str


def _refusal(pattern: str, error: type[InferenceError], sentence: str, hint: str) -> _Refusal:
    return _Refusal(re.compile(pattern), error, sentence, hint)


_LOADING: Final = (
    _refusal(
        r"unknown model architecture: '([^']*)'",
        UnsupportedArchitectureError,
        "{name}: unknown model architecture '{0}'. This version of llama.cpp cannot run it.",
        _OTHER_MODEL,
    ),
    _refusal(
        r"unsupported model architecture: '([^']*)'",
        UnsupportedArchitectureError,
        "{name} has the architecture '{0}', which llama.cpp does not run.",
        _OTHER_MODEL,
    ),
    _refusal(
        r"unknown (?:pre-)?tokenizer(?: type)?: '([^']*)'",
        UnsupportedArchitectureError,
        "{name} needs the tokenizer '{0}', which this version of llama.cpp does not know.",
        _OTHER_MODEL,
    ),
    _refusal(
        r"CLIP cannot be used as main model",
        UnsupportedArchitectureError,
        "{name} is only the image part of a model and cannot answer by itself.",
        "Choose the language model's own file.",
    ),
    _refusal(
        r"GGUFv1 is no longer supported|file is version \d+ but|bad GGUF version",
        UnsupportedArchitectureError,
        "{name} has a GGUF version that this version of llama.cpp does not read.",
        _OTHER_MODEL,
    ),
    _refusal(
        r"must be loaded with the first split|illegal split file",
        UnsupportedRequestError,
        "{name} is not the first part of a model in several files.",
        "Choose the file whose name ends with -00001-of-....gguf.",
    ),
    _refusal(
        r"failed to load GGUF split|missing key \S+ in GGUF split",
        CorruptCheckpointError,
        "Another part of {name} is missing or damaged.",
        "Put all parts of the model into one folder, or download them again.",
    ),
    _refusal(
        r"(?:unable to|failed to) allocate|out of memory|bad_alloc|cudaMalloc failed",
        OutOfMemoryError,
        "{name} does not fit into memory.",
        _SMALLER,
    ),
    _refusal(
        r"failed to open.*[Pp]ermission denied",
        ModelNotFoundError,
        "{name} cannot be read: permission denied.",
        "Check the permissions of the file.",
    ),
    _refusal(
        r"not within the file bounds",
        CorruptCheckpointError,
        "{name} is incomplete: the file ends before all of its weights.",
        _DOWNLOAD_AGAIN,
    ),
    _refusal(
        r"failed to read|exceeds remaining file size|failed to load model from",
        CorruptCheckpointError,
        "{name} is damaged or incomplete: its beginning cannot be read.",
        _DOWNLOAD_AGAIN,
    ),
    _refusal(
        r"key not found in model: (\S+)",
        CorruptCheckpointError,
        "{name} is damaged or incomplete: the entry '{0}' is missing.",
        _DOWNLOAD_AGAIN,
    ),
    _refusal(
        r"tensor '([^']*)' not found|missing tensor '([^']*)'",
        CorruptCheckpointError,
        "{name} is damaged or incomplete: the tensor '{0}' is missing.",
        _DOWNLOAD_AGAIN,
    ),
)

_CONTEXT: Final = (
    _refusal(
        r"(?:unable to|failed to) (?:allocate|reserve)|out of memory|bad_alloc",
        OutOfMemoryError,
        "A context of {n_ctx:,} tokens does not fit into memory.",
        "Load the model with a smaller context or a smaller KV-cache type.",
    ),
    _refusal(
        r"[Qq]uantized V cache.*requires? .*[Ff]lash",
        UnsupportedRequestError,
        "A quantised KV cache needs flash attention, which this model does not have.",
        "Choose the KV-cache type f16, or switch flash attention on.",
    ),
    _refusal(
        r"cache type (\S+) with block size",
        UnsupportedRequestError,
        "The KV-cache type {0} does not fit the shape of this model.",
        "Choose the KV-cache type f16.",
    ),
)


def check_file(path: Path) -> GgufHeader:
    """Read the header and refuse what need not be given to llama.cpp at all.

    Raises:
        ModelNotFoundError: There is no such file, or it cannot be read.
        UnsupportedRequestError: It is a folder.
        CorruptCheckpointError: It is no GGUF file, damaged, incomplete, or has no weights.
    """
    if path.is_dir():
        raise UnsupportedRequestError(
            f"{path.name} is a folder, and the GGUF engine needs a .gguf file.",
            "Use the native engine for checkpoint folders.",
        )
    header = read_header(path)
    if not header.tensors and header.number("split.count") < 2:
        raise CorruptCheckpointError(
            f"{path.name} holds only a vocabulary and no weights, so it cannot answer.",
            "Choose the file of a whole model.",
        )
    return header


def loading_refused(path: Path, lines: Sequence[str]) -> InferenceError:
    """Return the error for a file that llama.cpp did not load.

    Args:
        path: The file.
        lines: Warnings and errors from the log since the attempt began.
    """
    return _match(
        _LOADING,
        lines,
        {"name": path.name},
        CorruptCheckpointError(
            f"llama.cpp could not load {path.name}: {_reason(lines)}.", _DOWNLOAD_AGAIN
        ),
    )


def context_refused(n_ctx: int, lines: Sequence[str]) -> InferenceError:
    """Return the error for a context that llama.cpp did not make; see ``loading_refused``."""
    return _match(
        _CONTEXT,
        lines,
        {"n_ctx": n_ctx},
        InferenceError(
            f"llama.cpp could not prepare a context of {n_ctx:,} tokens: {_reason(lines)}.",
            "Load the model with other settings, or choose another model.",
        ),
    )


def _match(
    refusals: Sequence[_Refusal],
    lines: Sequence[str],
    names: dict[str, str | int],
    otherwise: InferenceError,
) -> InferenceError:
    text = "\n".join(lines)
    detail = "\n".join(lines[-_DETAIL_LINES:])
    for refusal in refusals:
        found = refusal.pattern.search(text)
        if found:
            groups = [group for group in found.groups() if group is not None]
            sentence = refusal.sentence.format(*groups, **names)
            return refusal.error(sentence, refusal.hint, detail)
    return type(otherwise)(otherwise.message, otherwise.hint, detail)


def _reason(lines: Sequence[str]) -> str:
    """Return the first line without the names of the functions that said it."""
    for line in lines:
        words = re.sub(r"^(?:\w+: )+(?:error loading model: )?", "", line).strip().rstrip(".")
        if words:
            return words
    return "it gave no reason"
