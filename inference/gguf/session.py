"""A context: tokens in, logits out, with the KV cache of what was read before.

Knows ids only; texts, requests and sampling are elsewhere.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psutil

from inference.errors import (
    ContextOverflowError,
    InferenceError,
    OutOfMemoryError,
    UnsupportedArchitectureError,
    UnsupportedRequestError,
)
from inference.gguf.library import api, log
from inference.gguf.probabilities import logits_view
from inference.gguf.refusals import context_refused
from inference.gguf.sizes import KV_BYTES
from inference.threads import choose_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llama_cpp.llama_cpp import llama_context_p, llama_context_params

    from inference.cancel import CancelToken
    from inference.gguf.model import GgufModel
    from inference.gguf.probabilities import Logits
    from inference.types import LoadOptions

BATCH_TOKENS: Final = 512
"""Tokens computed together while reading a prompt."""
SCORED_TOKENS: Final = 64
"""Positions computed together when the logits of each are wanted."""
_SHORT_STEP_S: Final = 0.05
"""Steps shorter than this need not be interruptible: asking costs up to a tenth of a small one."""
_NEVER_ABORT: Final = api.ggml_abort_callback(0)
_SEQUENCE: Final = 0
_ASIDE: Final = 1
_ALL: Final = -1
_TO_THE_END: Final = -1
_NO_SLOT: Final = 1
_ABORTED: Final = 2
_KV_SIZE: Final = re.compile(r"(?:KV|RS) buffer size =\s*([\d.]+) MiB")
_BUFFER_SIZE: Final = re.compile(r"(?:compute|output) buffer size =\s*([\d.]+) MiB")
_KV_TYPES: Final = {
    "f32": api.GGML_TYPE_F32,
    "f16": api.GGML_TYPE_F16,
    "q8_0": api.GGML_TYPE_Q8_0,
    "q4_0": api.GGML_TYPE_Q4_0,
}


@dataclass(slots=True)
class _CancelSlot:
    """The token that the abort callback looks at; none between requests."""

    token: CancelToken | None = None


class Session:
    """One sequence of tokens in one context.

    ``tokens`` is what the KV cache holds for certain: a computation that was cut short is
    forgotten, not guessed at.

    Args:
        model: Stays in use until ``close``.
        options: Context, KV type, flash attention and threads are read from it.

    Raises:
        OutOfMemoryError: The context does not fit.
        UnsupportedRequestError: The options contradict each other.
        UnsupportedArchitectureError: The model keeps no memory of a text (an embedding model).
    """

    def __init__(self, model: GgufModel, options: LoadOptions) -> None:
        n_ctx = model.n_ctx
        self.model = model
        self._options = options
        self.threads = choose_threads(options.threads, model.parameters)
        self.tokens: list[int] = []
        self._slot = _CancelSlot()
        slot = self._slot
        self._on_abort = api.ggml_abort_callback(
            lambda _data: slot.token is not None and slot.token.cancelled
        )
        _check_memory(model, n_ctx, options)
        self.window = max(0, int(api.llama_model_n_swa(model.handle)))
        """Tokens that layers with a window look back on; 0 where there are none."""
        self._has_room_aside = not self.window and not only_whole(model)
        params = _context_params(options, n_ctx, self.threads)
        if self._has_room_aside:  # costs nothing: the cells are shared
            params.n_seq_max, params.kv_unified = 2, True
        params.abort_callback = self._on_abort
        mark = log.mark()
        context = api.llama_init_from_model(model.handle, params)
        if not context:
            raise context_refused(n_ctx, log.troubles(mark))
        self._context: llama_context_p | None = context
        self.kv_cache_bytes = _reported_bytes(_KV_SIZE, log.since(mark)) or model.sizes.kv_bytes(
            n_ctx, options.kv_cache_type
        )
        self.buffers_bytes = _reported_bytes(_BUFFER_SIZE, log.since(mark))
        if not api.llama_get_memory(context):
            self.close()
            raise UnsupportedArchitectureError(
                f"{model.path.name} turns texts into numbers for searching and does not write.",
                "Choose a language model.",
            )
        # llama.cpp rounds the context up; what was asked for is what is promised.
        self.n_ctx = min(n_ctx, int(api.llama_n_ctx(context)))
        vocabulary = api.llama_model_get_vocab(model.handle)
        self.n_vocab = int(api.llama_vocab_n_tokens(vocabulary)) if vocabulary else 0
        self._interruptible = True
        self._step_s = math.inf
        self._one = (api.llama_token * 1)()
        self._one_batch = api.llama_batch_get_one(self._one, 1)

    @property
    def context(self) -> llama_context_p:
        """The C context."""
        if self._context is None:
            raise InferenceError("The model is closed.")
        return self._context

    @property
    def first(self) -> int:
        """The first token that every layer still holds; not 0 where a window came from a copy."""
        memory = api.llama_get_memory(self.context)
        return max(0, api.llama_memory_seq_pos_min(memory, _SEQUENCE)) if self.window else 0

    def reuse(self, prompt: Sequence[int]) -> int:
        """Keep what the cache shares with ``prompt`` and forget the rest.

        Returns:
            Tokens of the prompt that need not be read again. At least the last one has to, since
            the logits of old positions are not kept.
        """
        shared = 0
        for old, new in zip(self.tokens, prompt, strict=False):
            if old != new:
                break
            shared += 1
        kept = min(shared, len(prompt) - 1)
        self._cut(kept if can_go_on(self.first, kept, self.window) else 0)
        return len(self.tokens)

    def take_back(self, count: int) -> None:
        """Forget the newest tokens.

        Raises:
            InferenceError: The model cannot; its cache is empty then.
        """
        length = len(self.tokens) - count
        if count:
            self._cut(length)
        if len(self.tokens) != length:
            raise InferenceError(
                "The model could not take tokens back.", "Switch guessing ahead off and try again."
            )

    def forget(self) -> None:
        """Empty the cache."""
        self._cut(0)

    def read(self, tokens: Sequence[int], cancel: CancelToken) -> bool:
        """Compute at most ``BATCH_TOKENS`` tokens after those in the cache.

        Returns:
            ``False`` when ``cancel`` cut it short; the tokens are then not in the cache.

        Raises:
            InferenceError: One of its children; the tokens are not in the cache.
        """
        if len(tokens) == 1:
            return self._step(tokens, cancel)
        self._let_interrupt(wanted=True)
        ids = (api.llama_token * len(tokens))(*tokens)
        return self._decode(api.llama_batch_get_one(ids, len(tokens)), tokens, cancel)

    def read_all_logits(
        self, tokens: Sequence[int], cancel: CancelToken, *, brief: bool = False
    ) -> bool:
        """Like ``read``, for at most ``SCORED_TOKENS``, keeping the logits of every position.

        ``brief`` says that it takes about as long as one token.
        """
        self._let_interrupt(wanted=not brief or self._step_s > _SHORT_STEP_S)
        began = time.perf_counter()
        count = len(tokens)
        batch = api.llama_batch_init(count, 0, 1)
        try:
            fill(batch, tokens, len(self.tokens))
            return self._decode(batch, tokens, cancel)
        finally:
            api.llama_batch_free(batch)
            if brief:
                self._step_s = time.perf_counter() - began

    def logits(self, index: int = -1) -> Logits:
        """View the logits of a position of the last read; valid until the next one."""  # (V,)
        pointer = api.llama_get_logits_ith(self.context, index)
        if not pointer:
            raise InferenceError("There are no probabilities for this position.")
        return logits_view(pointer, self.n_vocab)

    def logits_behind(self, ids: Sequence[int], cancel: CancelToken) -> Logits | None:
        """Return the logits of what follows a beginning of what was read; all stays as it is.

        Only the last id is computed, and it may be another one than was read there.

        Returns:
            None where ``ids`` is no such beginning, ``cancel`` was set, there is no room for one
            more token, or the model cannot look back: it has windows, or one state of it all.
        """
        before = len(ids) - 1
        if not self._has_room_aside or self.tokens[:before] != list(ids[:-1]):
            return None
        self._let_interrupt(wanted=True)
        memory = api.llama_get_memory(self.context)
        api.llama_memory_seq_cp(memory, _SEQUENCE, _ASIDE, 0, before)
        batch = api.llama_batch_init(1, 0, 1)
        fill(batch, ids[-1:], before, _ASIDE)
        self._slot.token = cancel
        try:
            status = api.llama_decode(self.context, batch)
            return self.logits().copy() if status == 0 else None
        finally:
            self._slot.token = None
            api.llama_batch_free(batch)
            api.llama_memory_seq_rm(memory, _ASIDE, _ALL, _ALL)

    def params_of_branches(self, n_ctx: int, count: int) -> llama_context_params:
        """Return what a context like this one is made from, for ``count`` texts side by side.

        Raises:
            OutOfMemoryError: Main memory cannot hold ``n_ctx`` tokens more.
        """
        _check_memory(self.model, n_ctx, self._options)
        params = _context_params(self._options, n_ctx, self.threads)
        # llama.cpp aborts where there are more sequences than outputs, and each row takes two.
        params.n_batch = params.n_ubatch = params.n_outputs_max = max(2 * count, SCORED_TOKENS)
        return params

    def close(self) -> None:
        """Free the context; closing twice is harmless."""
        if self._context is not None:
            api.llama_free(self._context)
            self._context = None

    def _step(self, tokens: Sequence[int], cancel: CancelToken) -> bool:
        """Compute one token, interruptible only where the step before took long."""
        self._let_interrupt(wanted=self._step_s > _SHORT_STEP_S)
        self._one[0] = tokens[0]
        began = time.perf_counter()
        complete = self._decode(self._one_batch, tokens, cancel)
        self._step_s = time.perf_counter() - began
        return complete

    def _let_interrupt(self, *, wanted: bool) -> None:
        if wanted != self._interruptible:
            callback = self._on_abort if wanted else _NEVER_ABORT
            api.llama_set_abort_callback(self.context, callback, None)
            self._interruptible = wanted

    def _decode(self, batch: api.llama_batch, tokens: Sequence[int], cancel: CancelToken) -> bool:
        kept = len(self.tokens)
        mark = log.mark()
        self._slot.token = cancel
        try:
            status = api.llama_decode(self.context, batch)
        finally:
            self._slot.token = None
        if status == 0:
            self.tokens += tokens
            return True
        # Cut short (2) or failed (< -1): parts of the batch may be in the cache. None is trusted.
        self._cut(kept)
        if status == _ABORTED:
            return False
        raise self._trouble(status, log.troubles(mark))

    def _cut(self, length: int) -> None:
        """Forget everything from position ``length`` on."""
        memory = api.llama_get_memory(self.context)
        if memory is None:
            raise InferenceError("The model keeps no memory of a text.")
        if not api.llama_memory_seq_rm(memory, _SEQUENCE, length, _TO_THE_END):
            # Recurrent networks keep one state and cannot go back: start over.
            api.llama_memory_clear(memory, True)
            length = 0
        del self.tokens[length:]

    def _trouble(self, status: int, lines: Sequence[str]) -> InferenceError:
        detail = "\n".join([f"llama_decode returned {status}", *lines])
        if status == _NO_SLOT:
            return ContextOverflowError(
                f"The context of {self.n_ctx:,} tokens is full.",
                "Load the model with a larger context, or start a new chat.",
                detail,
            )
        if re.search(r"(?:unable to|failed to) allocate|out of memory|bad_alloc", detail):
            return OutOfMemoryError(
                "Memory ran out while the model was computing.",
                "Choose a smaller model or a smaller context, or close other programs.",
                detail,
            )
        return InferenceError(
            "llama.cpp could not compute this text.", "Load the model again.", detail
        )


def fill(
    batch: Any,  # noqa: ANN401  a C structure
    tokens: Sequence[int],
    start: int,
    sequence: int = _SEQUENCE,
) -> None:
    """Put tokens of one sequence into a batch, the first at position ``start``; score them all."""
    batch.n_tokens = len(tokens)
    for index, token in enumerate(tokens):
        batch.token[index] = token
        batch.pos[index] = start + index
        batch.n_seq_id[index] = 1
        batch.seq_id[index][0] = sequence
        batch.logits[index] = 1


def only_whole(model: GgufModel) -> bool:
    """Whether a model keeps one state of all it has read, and cannot go back in it."""
    handle = model.handle
    return bool(api.llama_model_is_recurrent(handle) or api.llama_model_is_hybrid(handle))


def can_go_on(first: int, length: int, window: int) -> bool:
    """Whether a text can be gone on from after ``length`` tokens.

    Args:
        first: The first token that every layer still holds.
        length: The next token's position; it sees that many tokens, its own included, through
            a window.
        window: Width of the windows; 0 where there are none.
    """
    return not window or first <= max(0, length - window + 1)


def _context_params(options: LoadOptions, n_ctx: int, threads: int) -> llama_context_params:
    params: llama_context_params = api.llama_context_default_params()
    params.n_ctx = n_ctx
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    # Without this, room for the logits of a whole batch is set aside: 262 MB at 128,256 words.
    params.n_outputs_max = SCORED_TOKENS
    params.n_threads = params.n_threads_batch = threads
    params.type_k = params.type_v = _KV_TYPES[options.kv_cache_type]
    params.flash_attn_type = {
        None: api.LLAMA_FLASH_ATTN_TYPE_AUTO,
        True: api.LLAMA_FLASH_ATTN_TYPE_ENABLED,
        False: api.LLAMA_FLASH_ATTN_TYPE_DISABLED,
    }[options.flash_attention]
    return params


def check_options(options: LoadOptions) -> None:
    """Refuse options that have no meaning, before anything is loaded.

    Raises:
        UnsupportedRequestError: One of them is named.
    """
    if options.dtype != "auto":
        raise UnsupportedRequestError(
            f"The GGUF engine cannot load as {options.dtype}: the file fixes the type of its "
            "weights.",
            "Choose a file with other weights, or make one: `glasshouse models quantize`.",
        )
    if options.kv_cache_type not in KV_BYTES:
        raise UnsupportedRequestError(
            f"There is no KV-cache type {options.kv_cache_type!r}.",
            f"Choose one of {', '.join(KV_BYTES)}.",
        )
    if options.flash_attention is False and options.kv_cache_type.startswith("q"):
        raise UnsupportedRequestError(
            f"The KV-cache type {options.kv_cache_type} needs flash attention.",
            "Switch flash attention on, or choose the KV-cache type f16.",
        )
    for name, value, least in (
        ("context", options.n_ctx, 8),
        ("number of threads", options.threads, 1),
        ("number of GPU layers", options.gpu_layers, 0),
    ):
        if value is not None and not least <= value < 2**31:
            raise UnsupportedRequestError(
                f"The {name} cannot be {value:,}.",
                f"Choose at least {least}." if value < least else "Choose a smaller number.",
            )


def _check_memory(model: GgufModel, n_ctx: int, options: LoadOptions) -> None:
    """Refuse a KV cache that main memory cannot hold; the system would promise it all the same."""
    needed = model.sizes.kv_bytes(n_ctx, options.kv_cache_type)
    available = psutil.virtual_memory().available
    if model.placement.gpu_layers == 0 and needed > available:
        raise OutOfMemoryError(
            f"A context of {n_ctx:,} tokens needs {needed / 1e9:.1f} GB of memory, and "
            f"{available / 1e9:.1f} GB are free.",
            "Load the model with a smaller context or a smaller KV-cache type.",
        )


def _reported_bytes(pattern: re.Pattern[str], lines: Sequence[str]) -> int:
    sizes = [float(found[1]) for line in lines if (found := pattern.search(line))]
    return int(sum(sizes) * 1024 * 1024)
