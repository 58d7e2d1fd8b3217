"""Which devices this build of llama.cpp can use, and how many layers fit on them.

Reads ggml's device list; knows nothing of a model but its sizes.
"""

from __future__ import annotations

import ctypes
import platform
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import llama_cpp
from llama_cpp._ctypes_extensions import load_shared_library

from inference.gguf.library import start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_GPU: Final = 1
_INTEGRATED_GPU: Final = 2
_NOT_GPU_BACKENDS: Final = frozenset({"CPU", "BLAS", "AMX", "RPC", "ACCEL"})
_ONE_MEMORY: Final = sys.platform == "darwin" and platform.machine() == "arm64"
"""Apple's own processors: GPU and CPU share all memory."""
_OFFLOADED: Final = re.compile(r"offloaded (\d+)/(\d+) layers to GPU")


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU as ggml sees it; memory in bytes at the time of asking, its own or the computer's."""

    name: str
    description: str
    free_bytes: int
    total_bytes: int
    shares_memory: bool = False

    @property
    def label(self) -> str:
        """Name and description for people: ``CUDA: NVIDIA H200``."""
        kind = self.name.rstrip("0123456789")
        return f"{kind}: {self.description}" if self.description else self.name


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the layers of a loaded model are, and one sentence why."""

    device: str
    gpu_layers: int
    reason: str


@lru_cache(maxsize=1)
def _libraries() -> tuple[ctypes.CDLL, ...]:
    folder = Path(llama_cpp.__file__).parent / "lib"
    found = []
    for name in ("ggml", "ggml-base"):
        with suppress(OSError, RuntimeError):
            found.append(load_shared_library(name, folder))
    return tuple(found)


def _function(
    name: str, result: type | None, *arguments: type
) -> Callable[..., int | bytes | None] | None:
    for library in _libraries():
        function = getattr(library, name, None)
        if function is not None:
            function.restype = result
            function.argtypes = list(arguments)
            return function  # type: ignore[no-any-return]  # ctypes looks functions up by name
    return None


def backends() -> tuple[str, ...]:
    """Return the names of ggml's backends in this build: ``CPU``, ``CUDA``, ``Metal`` ..."""
    start()
    count = _function("ggml_backend_reg_count", ctypes.c_size_t)
    get = _function("ggml_backend_reg_get", ctypes.c_void_p, ctypes.c_size_t)
    name_of = _function("ggml_backend_reg_name", ctypes.c_char_p, ctypes.c_void_p)
    if count is None or get is None or name_of is None:
        return ()
    return tuple(_text(name_of(get(index))) for index in range(int(count() or 0)))


def gpu_support() -> bool:
    """Whether this build could use a GPU, present or not."""
    return any(name.upper() not in _NOT_GPU_BACKENDS for name in backends())


def gpus() -> tuple[Device, ...]:
    """Return the GPUs that llama.cpp would use: discrete ones, or else integrated ones."""
    start()
    count = _function("ggml_backend_dev_count", ctypes.c_size_t)
    get = _function("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
    kind_of = _function("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)
    if count is None or get is None or kind_of is None:
        return ()
    handles = [get(index) for index in range(int(count() or 0))]
    discrete = [handle for handle in handles if kind_of(handle) == _GPU]
    integrated = [handle for handle in handles if kind_of(handle) == _INTEGRATED_GPU]
    return tuple(_describe(handle, integrated=not discrete) for handle in discrete or integrated)


def _describe(handle: int | bytes | None, *, integrated: bool) -> Device:
    name = _function("ggml_backend_dev_name", ctypes.c_char_p, ctypes.c_void_p)
    described = _function("ggml_backend_dev_description", ctypes.c_char_p, ctypes.c_void_p)
    size = ctypes.POINTER(ctypes.c_size_t)
    memory = _function("ggml_backend_dev_memory", None, ctypes.c_void_p, size, size)
    free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
    if memory is not None:
        memory(handle, ctypes.byref(free), ctypes.byref(total))
    return Device(
        _text(name(handle) if name else None),
        _text(described(handle) if described else None),
        free.value,
        total.value,
        shares_memory=integrated or _ONE_MEMORY,
    )


def _text(value: int | bytes | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def offloaded_layers(lines: Sequence[str]) -> tuple[int, int] | None:
    """Return (layers on the GPU, layers there are) as llama.cpp reported them while loading."""
    for line in reversed(lines):
        found = _OFFLOADED.search(line)
        if found:
            return int(found[1]), int(found[2])
    return None


def describe_placement(
    asked: int | None, layers: int, devices: Sequence[Device], offloaded: int, *, support: bool
) -> Placement:
    """Say where the layers went and why.

    Args:
        asked: What the person chose: ``None`` = automatic.
        layers: All layers that could go to a GPU.
        devices: The GPUs there are, as they were before loading.
        offloaded: Layers that llama.cpp put there.
        support: Whether the build could use a GPU at all.
    """
    if not support:
        reason = "This build of llama.cpp has no GPU support, so every layer runs on the CPU."
        return Placement("CPU", 0, reason)
    if not devices:
        return Placement("CPU", 0, "No GPU was found, so every layer runs on the CPU.")
    label = ", ".join(device.label for device in devices)
    if asked == 0:
        return Placement("CPU", 0, f"You chose 0 GPU layers, so {label} is not used.")
    free = sum(device.free_bytes for device in devices) / 1e9
    if offloaded == 0:
        reason = f"Not one of {layers} layers fits into the {free:.1f} GB free on {label}."
        return Placement("CPU", 0, reason)
    if offloaded >= layers:
        reason = f"All {layers} layers are on {label}, which had {free:.1f} GB free."
    elif asked is not None:
        reason = f"{offloaded} of {layers} layers are on {label}, as you chose."
    else:
        reason = f"{offloaded} of {layers} layers fit into the {free:.1f} GB free on {label}."
    return Placement(label, offloaded, reason)
