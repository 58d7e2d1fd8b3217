"""A GGUF file in memory: loading with progress and cancel, its metadata, where its layers are.

Knows nothing of contexts and requests.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from inference.errors import InferenceError, OutOfMemoryError, UnsupportedArchitectureError
from inference.gguf.devices import (
    Placement,
    describe_placement,
    gpu_support,
    gpus,
    offloaded_layers,
)
from inference.gguf.library import api, log, start
from inference.gguf.refusals import check_file, loading_refused
from inference.gguf.sizes import ModelSizes
from inference.library.scan import stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llama_cpp.llama_cpp import llama_model_p, llama_model_params

    from inference.cancel import CancelToken
    from inference.engine import ProgressSink
    from inference.gguf.devices import Device
    from inference.gguf.probe import LoadFlags
    from inference.library.scan import Stamp
    from inference.types import LoadOptions

_PROGRESS_STEP: Final = 0.01


class GgufModel:
    """Weights and vocabulary of one file, in memory until ``close``.

    Args:
        options: Path, GPU layers, mmap; context and KV type for the memory plan.
        flags: From the processor probe.
        progress: Called with the loaded fraction.
        cancel: Looked at while loading.

    Raises:
        InferenceError: One of its children; a plain one when ``cancel`` was set.
    """

    def __init__(
        self, options: LoadOptions, flags: LoadFlags, progress: ProgressSink, cancel: CancelToken
    ) -> None:
        self.path = Path(options.path)
        self.stamp: Stamp = stamp_of(self.path)
        self.sizes = ModelSizes.of(self.path, check_file(self.path))
        self.n_ctx = self.sizes.context(options.n_ctx)
        start()
        devices = gpus()
        _check_memory(self.path, self.sizes, devices)
        params = _model_params(options, flags)
        if devices:
            params.n_gpu_layers = self.sizes.layers_for(
                options.gpu_layers, devices, self.n_ctx, options.kv_cache_type
            )
        mark = log.mark()
        self._handle: llama_model_p | None = _load(self.path, params, progress, cancel)
        self.metadata: Mapping[str, str] = _read_metadata(self.handle)
        try:
            self._check_generates()
        except InferenceError:
            self.close()
            raise
        on_gpu, of = offloaded_layers(log.since(mark)) or (0, self.n_layers + 1)
        self.placement: Placement = describe_placement(
            options.gpu_layers, of, devices, on_gpu if devices else 0, support=gpu_support()
        )

    @property
    def handle(self) -> llama_model_p:
        """The C model."""
        if self._handle is None:
            raise InferenceError("The model is closed.")
        return self._handle

    @property
    def architecture(self) -> str:
        """As the file names it."""
        return self.metadata.get("general.architecture", "")

    @property
    def name(self) -> str:
        """The model's own name, or the file's."""
        return self.metadata.get("general.name") or self.path.stem

    @property
    def quantization(self) -> str:
        """The weights' main type: ``F16``, ``Q4_K_M`` ..."""
        # A type that the file does not state is guessed from its tensors and marked with a bit.
        file_type = api.llama_model_ftype(self.handle) & ~api.LLAMA_FTYPE_GUESSED
        return _file_types().get(file_type, "unknown")

    @property
    def chat_template(self) -> str | None:
        """Source of the file's chat template."""
        source = api.llama_model_chat_template(self.handle, None)
        return source.decode("utf-8", "replace") if source else None

    @property
    def n_layers(self) -> int:
        """Blocks."""
        return int(api.llama_model_n_layer(self.handle))

    @property
    def n_ctx_train(self) -> int:
        """Context it was trained for, in tokens."""
        return int(api.llama_model_n_ctx_train(self.handle))

    @property
    def other_turns_from(self) -> int:
        """Context beyond which positions turn in another way; 0 where there is one way only.

        llama.cpp chooses between LongRoPE's two sets of factors (Phi-3) by the size of the context.
        """
        scaling = f"{self.architecture}.rope.scaling."
        if self.metadata.get(scaling + "type") in {"none", "linear", "yarn"}:
            return 0
        return int(self.metadata.get(scaling + "original_context_length", 0))

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return int(api.llama_model_n_params(self.handle))

    @property
    def weights_bytes(self) -> int:
        """Memory of the weights."""
        return int(api.llama_model_size(self.handle))

    def close(self) -> None:
        """Free the weights; closing twice is harmless. Contexts must be closed before."""
        if self._handle is not None:
            api.llama_model_free(self._handle)
            self._handle = None

    def _check_generates(self) -> None:
        """Make sure that it continues text, token by token."""
        for answer, words in (
            (api.llama_model_has_encoder(self.handle), "an encoder-decoder model"),
            (not api.llama_model_has_decoder(self.handle), "an encoder"),
            (api.llama_model_is_diffusion(self.handle), "a diffusion model"),
        ):
            if answer:
                raise UnsupportedArchitectureError(
                    f"{self.path.name} is {words} ('{self.architecture}'), which does not write "
                    "text token by token.",
                    "Choose a language model.",
                )


def _model_params(options: LoadOptions, flags: LoadFlags) -> llama_model_params:
    params: llama_model_params = api.llama_model_default_params()
    params.n_gpu_layers = 0
    params.load_mode = api.LLAMA_LOAD_MODE_MMAP if options.mmap else api.LLAMA_LOAD_MODE_NONE
    params.use_extra_bufts = flags.use_extra_bufts
    return params


def _load(
    path: Path, params: llama_model_params, progress: ProgressSink, cancel: CancelToken
) -> llama_model_p:
    told = -1.0
    trouble: list[BaseException] = []

    def on_progress(fraction: float, _user_data: object) -> bool:
        nonlocal told
        if fraction - told >= _PROGRESS_STEP or fraction >= 1.0 > told:
            told = fraction
            try:
                progress(fraction)
            except BaseException as exc:  # noqa: BLE001  must not cross C; raised again below
                trouble.append(exc)
        return not (cancel.cancelled or trouble)

    callback = api.llama_progress_callback(on_progress)  # alive until the load returns
    params.progress_callback = callback
    mark = log.mark()
    handle: llama_model_p | None = None
    if not cancel.cancelled:
        handle = api.llama_model_load_from_file(as_c_path(path), params)
    if trouble:
        if handle:
            api.llama_model_free(handle)
        raise trouble[0]
    if cancel.cancelled:
        if handle:
            api.llama_model_free(handle)
        raise InferenceError(f"Loading {path.name} was stopped.")
    if not handle:
        raise loading_refused(path, log.troubles(mark))
    return handle


def _check_memory(path: Path, sizes: ModelSizes, devices: Sequence[Device]) -> None:
    """Refuse what is larger than all memory there is, before the system comes to a halt."""
    memory = psutil.virtual_memory().total + psutil.swap_memory().total
    memory += sum(device.total_bytes for device in devices)
    if sizes.total_bytes > memory:
        raise OutOfMemoryError(
            f"{path.name} needs {sizes.total_bytes / 1e9:.1f} GB of memory, and this computer has "
            f"{memory / 1e9:.1f} GB.",
            "Choose a smaller model or a stronger quantization.",
        )


def as_c_path(path: Path) -> bytes:
    """Return a path as llama.cpp takes it."""
    # On Windows llama.cpp expects UTF-8, elsewhere the file system's own bytes.
    return str(path).encode("utf-8") if sys.platform == "win32" else os.fsencode(path)


def _read_metadata(handle: llama_model_p) -> dict[str, str]:
    """Return the file's scalar metadata as texts; arrays are left out by llama.cpp."""
    pairs: dict[str, str] = {}
    for index in range(api.llama_model_meta_count(handle)):
        key = _read_text(api.llama_model_meta_key_by_index, handle, index)
        pairs[key] = _read_text(api.llama_model_meta_val_str_by_index, handle, index)
    return pairs


def _read_text(
    function: Callable[[llama_model_p, int, ctypes.Array[ctypes.c_char], int], int],
    handle: llama_model_p,
    index: int,
) -> str:
    size = 256
    while True:
        buffer = ctypes.create_string_buffer(size)
        length = int(function(handle, index, buffer, size))
        if length < size:
            return buffer.raw[: max(0, length)].decode("utf-8", "replace")
        size = length + 1


@lru_cache(maxsize=1)
def _file_types() -> dict[int, str]:
    prefix = "LLAMA_FTYPE_"
    return {
        value: name.removeprefix(prefix).removeprefix("MOSTLY_").removeprefix("ALL_")
        for name, value in vars(api).items()
        if name.startswith(prefix) and isinstance(value, int)
    }
