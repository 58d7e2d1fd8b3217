"""Where the network runs and in which number type; what to say when memory runs out there."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from inference.errors import BackendUnavailableError, OutOfMemoryError, UnsupportedRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
_SMALL_PARAMETERS = 200_000_000


@dataclass(frozen=True, slots=True)
class Precision:
    """The number types of a loaded network.

    Attributes:
        name: Of the weights, for people and for ``LoadedModel.dtype``.
        stream: What runs between the products.
        cache: Of the keys and values.
    """

    name: str
    stream: torch.dtype
    cache: torch.dtype

    @property
    def is_int8(self) -> bool:
        """Whether the products are in int8; see ``quantize.py``."""
        return self.name == "int8"


def choose_device(name: str) -> tuple[torch.device, str]:
    """Return the device asked for and one sentence why.

    Args:
        name: ``auto``, ``cpu``, ``cuda`` or ``mps``; auto takes a GPU where there is one.

    Raises:
        BackendUnavailableError: This computer or this PyTorch does not have it.
        UnsupportedRequestError: No such device.
    """
    if name not in {"auto", "cpu", "cuda", "mps"}:
        raise UnsupportedRequestError(
            f"There is no device called {name!r:.40}.", "Choose auto, cpu, cuda or mps."
        )
    if name == "cpu":
        return torch.device("cpu"), "The CPU was asked for."
    why = "It was found." if name == "auto" else "It was asked for."
    if name in {"auto", "cuda"} and torch.cuda.is_available():
        return torch.device("cuda"), why
    if name in {"auto", "mps"} and torch.backends.mps.is_available():
        return torch.device("mps"), why
    if name == "auto":
        return torch.device("cpu"), "PyTorch found no GPU that it can use."
    kind = "NVIDIA GPU (cuda)" if name == "cuda" else "Apple GPU (mps)"
    raise BackendUnavailableError(
        f"PyTorch cannot use an {kind} on this computer.", "Choose auto or cpu as the device."
    )


def dtypes() -> tuple[str, ...]:
    """Return the types that weights can have in memory here, int8 only on the processor."""
    return (*_DTYPES, "int8") if int8_works() else tuple(_DTYPES)


def int8_works() -> bool:
    """Whether this PyTorch multiplies in int8."""
    return torch.backends.quantized.engine != "none" and hasattr(
        torch.ops.quantized, "linear_dynamic"
    )


def gpu_in_build() -> bool:
    """Whether this PyTorch could use a GPU, present or not."""
    return torch.version.cuda is not None or torch.backends.mps.is_built()


def device_name(device: torch.device) -> str:
    """Return the device's name for people."""
    if device.type == "cuda":
        return f"CUDA: {torch.cuda.get_device_name(device)}"
    return "Apple GPU (MPS)" if device.type == "mps" else "CPU"


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def choose_precision(
    name: str, stored: torch.dtype, parameters: int, device: torch.device
) -> Precision:
    """Return the number types to load with; ``int8``, or as ``choose_dtype`` says.

    Raises:
        UnsupportedRequestError: No such type, or not on this device.
    """
    if name == "int8":
        if device.type != "cpu":
            raise UnsupportedRequestError(
                "The native engine computes in int8 on the processor only.",
                "Choose cpu as the device, or another type.",
            )
        return Precision("int8", torch.float32, torch.bfloat16)
    dtype = choose_dtype(name, stored, parameters, device)
    return Precision(str(dtype).removeprefix("torch."), dtype, dtype)


def choose_dtype(
    name: str, stored: torch.dtype, parameters: int, device: torch.device
) -> torch.dtype:
    """Return the type to compute in.

    ``auto``: on a GPU the stored type, but large float32 checkpoints as bfloat16. On the CPU the
    stored type if that is bfloat16 and the checkpoint is large; otherwise float32, which is exact
    and, for float16, several times faster there.

    Args:
        name: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        stored: The type in the files.
        parameters: Number of weights; above 200 million counts as large.
        device: Where it will run.

    Raises:
        UnsupportedRequestError: No such type.
    """
    if name in _DTYPES:
        return _DTYPES[name]
    if name != "auto":
        raise UnsupportedRequestError(
            f"The native engine does not compute in {name!r:.40}.",
            "Choose auto, float32, bfloat16, float16 or int8.",
        )
    large = parameters > _SMALL_PARAMETERS
    if device.type == "cpu":
        return torch.bfloat16 if large and stored == torch.bfloat16 else torch.float32
    return torch.bfloat16 if large and stored == torch.float32 else stored


@contextmanager
def products_of(n_positions: int) -> Iterator[None]:
    """Let PyTorch itself multiply while one position is read, oneDNN while several are.

    In bfloat16 oneDNN reads a matrix that meets a single vector with 10 GB/s per core, PyTorch's
    own loop with 20 (``packaging/benchmarks/native.py``); for two vectors and more it is the
    other way round. Without oneDNN in the build nothing changes.

    Args:
        n_positions: Positions read in the pass inside.
    """
    onednn = torch.backends.mkldnn
    before = onednn.enabled
    onednn.enabled = before and n_positions > 1  # type: ignore[assignment]
    try:
        yield
    finally:
        onednn.enabled = before


@contextmanager
def memory_errors_translated(doing: str) -> Iterator[None]:
    """Turn what PyTorch raises when memory runs out into an error a person can act on.

    Args:
        doing: Ends the sentence "Memory ran out while ...".

    Raises:
        OutOfMemoryError: In place of PyTorch's.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as exc:
        # On the CPU PyTorch has no class of its own for this: the allocator's name is all.
        known = isinstance(exc, MemoryError | torch.OutOfMemoryError)
        if not known and "DefaultCPUAllocator" not in str(exc):
            raise
        raise OutOfMemoryError(
            f"Memory ran out while {doing}.",
            "Choose a smaller model or a shorter context, or close other programs.",
            str(exc),
        ) from exc
