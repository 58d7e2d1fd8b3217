"""The vocabulary of a file without its weights: quick to read, also where there are none."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from inference.gguf.library import api, log, start
from inference.gguf.model import as_c_path
from inference.gguf.refusals import loading_refused
from inference.gguf.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def opened_vocabulary(path: Path, *, adds_space: bool) -> Iterator[Vocabulary]:
    """Read a file's vocabulary for the length of a ``with`` block.

    Args:
        path: The file.
        adds_space: What it says of a space before SentencePiece text.

    Raises:
        InferenceError: llama.cpp refuses the file.
    """
    start()
    params = api.llama_model_default_params()
    params.vocab_only = True
    params.n_gpu_layers = 0
    mark = log.mark()
    model = api.llama_model_load_from_file(as_c_path(path), params)
    if not model:
        raise loading_refused(path, log.troubles(mark))
    try:
        yield Vocabulary(model, {"tokenizer.ggml.add_space_prefix": str(adds_space).lower()})
    finally:
        api.llama_model_free(model)
