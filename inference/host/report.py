"""What one engine's libraries say about this computer, as a JSON text; for the command line.

Runs in a throw-away process, which a library may kill: that would be a finding too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from inference.errors import InferenceError
from inference.library.machine import Gpu
from inference.paths import app_paths

if TYPE_CHECKING:
    from inference.types import EngineKind


class EngineReport(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        available: Whether the engine can be used.
        device: Where a model would run, for people.
        reason: One sentence: why there.
        backends: What the library was built with.
        gpu_in_build: Whether the library could use a GPU, present or not.
        gpus: The GPUs it sees, for people.
        processor: What the processor probe found (gguf).
        devices: The same GPUs with their memory, for forecasts (gguf).
        problem: Why it is not available.
        dtypes: Types that weights can have in memory, as in ``LoadOptions.dtype`` (native).
    """

    available: bool
    device: str = "CPU"
    reason: str = ""
    backends: tuple[str, ...] = ()
    gpu_in_build: bool = False
    gpus: tuple[str, ...] = ()
    processor: str = ""
    devices: tuple[Gpu, ...] = ()
    problem: str = ""
    dtypes: tuple[str, ...] = ()


class CardSpeed(msgspec.Struct, frozen=True):
    """How fast a graphics card's memory is.

    Attributes:
        bytes_per_s: What a large copy on the card reads and writes; 0 = not known.
        problem: Then why, as the end of a sentence.
    """

    bytes_per_s: float = 0.0
    problem: str = ""


def report(engine: EngineKind) -> str:
    """Return an ``EngineReport`` as JSON; imports the engine's libraries."""
    try:
        found = _gguf() if engine == "gguf" else _native()
    except InferenceError as exc:
        found = EngineReport(False, problem=f"{exc.message} {exc.hint}".strip())
    except (ImportError, OSError, RuntimeError) as exc:  # RuntimeError: libraries' own loaders
        found = EngineReport(False, problem=f"The libraries do not start: {exc}")
    return msgspec.json.encode(found).decode()


def card_speed(card: str) -> str:
    """Return a ``CardSpeed`` as JSON; imports PyTorch.

    Args:
        card: Its name, as ``LoadedModel.device`` has it.
    """
    try:
        from inference.native.bandwidth import card_bandwidth  # noqa: PLC0415  heavy

        found = CardSpeed(*card_bandwidth(card))
    except (ImportError, OSError, RuntimeError) as exc:  # RuntimeError: the library's own loader
        found = CardSpeed(problem=f"PyTorch, which measures it, does not start ({exc!s:.160})")
    return msgspec.json.encode(found).decode()


def _gguf() -> EngineReport:
    from inference.gguf import devices, probe  # noqa: PLC0415  heavy

    flags = probe.safe_load_flags(app_paths().cache)
    gpus = devices.gpus()
    support = devices.gpu_support()
    if gpus:
        reason = "The GPU takes as many layers as fit into its free memory."
    elif support:
        reason = "This build could use a GPU, but none was found."
    else:
        reason = "This build of llama.cpp has no GPU support, so every layer runs on the CPU."
    return EngineReport(
        available=True,
        device=", ".join(gpu.label for gpu in gpus) or "CPU",
        reason=reason,
        backends=devices.backends(),
        gpu_in_build=support,
        gpus=tuple(
            f"{gpu.label}, {gpu.free_bytes / 1e9:.1f} of {gpu.total_bytes / 1e9:.1f} GB free"
            for gpu in gpus
        ),
        devices=tuple(
            Gpu(gpu.label, gpu.free_bytes, gpu.total_bytes, gpu.shares_memory) for gpu in gpus
        ),
        processor="every instruction that llama.cpp uses works"
        if flags.use_extra_bufts
        else "some instructions that the processor reports do not work; they are left out",
    )


def _native() -> EngineReport:
    from inference.native import device as devices  # noqa: PLC0415  heavy

    device, reason = devices.choose_device("auto")
    name = devices.device_name(device)
    return EngineReport(
        available=True,
        device=name,
        reason=reason,
        gpu_in_build=devices.gpu_in_build(),
        gpus=() if device.type == "cpu" else (name,),
        dtypes=devices.dtypes(),
    )
