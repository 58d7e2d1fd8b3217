"""The method of llama.cpp's perplexity program, straight on its C API and nothing of ours.

Written from ``tools/perplexity/perplexity.cpp``, so that our engines have something to be held
against that shares no line with them.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from llama_cpp import llama_cpp as api

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Result:
    """What the program would print: ``exp(nll / count)`` over so many chunks."""

    perplexity: float
    chunks: int
    tokens: int


def llama_perplexity(path: Path, text: str, n_ctx: int) -> Result:
    """Read a text in chunks of ``n_ctx``; BOS first in each, the second half of each scored."""
    api.llama_backend_init()
    options = api.llama_model_default_params()
    options.n_gpu_layers = 0
    model = api.llama_model_load_from_file(str(path).encode(), options)
    assert model
    try:
        return _measure(model, text.encode(), n_ctx)
    finally:
        api.llama_model_free(model)


def _measure(model: api.llama_model_p, text: bytes, n_ctx: int) -> Result:
    vocabulary = api.llama_model_get_vocab(model)
    assert vocabulary
    size = api.llama_vocab_n_tokens(vocabulary)
    ids = (api.llama_token * (len(text) + 2))()
    count = api.llama_tokenize(vocabulary, text, len(text), ids, len(ids), True, False)
    params = api.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = n_ctx
    params.n_threads = params.n_threads_batch = 1
    context = api.llama_init_from_model(model, params)
    assert context
    nll, scored, first = 0.0, 0, n_ctx // 2
    batch = api.llama_batch_init(n_ctx, 0, 1)
    try:
        for chunk in range(count // n_ctx):
            tokens = list(ids[chunk * n_ctx : (chunk + 1) * n_ctx])
            begin = (
                [api.llama_vocab_bos(vocabulary)] if api.llama_vocab_get_add_bos(vocabulary) else []
            )
            api.llama_memory_clear(api.llama_get_memory(context), True)
            batch.n_tokens = n_ctx
            for place, token in enumerate(begin + tokens[len(begin) :]):
                batch.token[place], batch.pos[place] = token, place
                batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
                batch.logits[place] = place >= first
            assert api.llama_decode(context, batch) == 0
            for place in range(first, n_ctx - 1):
                pointer = api.llama_get_logits_ith(context, place)
                row = np.ctypeslib.as_array(
                    ctypes.cast(pointer, ctypes.POINTER(ctypes.c_float)), (size,)
                )
                logits = row.astype(np.float64)
                top = logits.max()
                nll += top + math.log(np.exp(logits - top).sum()) - logits[tokens[place + 1]]
                scored += 1
    finally:
        api.llama_batch_free(batch)
        api.llama_free(context)
    return Result(math.exp(nll / scored), count // n_ctx, count)
