"""When memory ran out: the mildest way to load the same model so that it fits, and what it frees.

Derived from the model's header and what is free now, like ``fit``. First a shorter context, down
to 4,096 tokens; then a cache in fewer bits (gguf) or weights in 16 bits (native); then less than
that. Where main memory has room, it was the GPU's that ran out: fewer layers go there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from inference.errors import InferenceError
from inference.library.estimate import MemoryEstimate, context_of
from inference.library.fit import PROGRAM_BYTES, Plan
from inference.library.plans import plan_of_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inference.library.machine import Machine
    from inference.types import LoadOptions

_ENOUGH_N_CTX = 4_096
_LEAST_N_CTX = 512
_USABLE = 0.95  # of the free memory: other programs go on asking for some
_PACKED = "q8_0"


@dataclass(frozen=True, slots=True)
class Smaller:
    """A way to load a model with less memory.

    Attributes:
        options: Load with these.
        frees_bytes: By how much less they need: of main memory, or of the GPU's for fewer layers.
        n_ctx: The context they give, in tokens.
        n_ctx_before: The context that was asked for.
    """

    options: LoadOptions
    frees_bytes: int
    n_ctx: int
    n_ctx_before: int


@dataclass(frozen=True, slots=True)
class _Step:
    """One way, with what it takes."""

    changes: dict[str, Any]
    n_ctx: int
    memory: MemoryEstimate


def smaller(options: LoadOptions, machine: Machine, on_gpu: int = 0) -> Smaller | None:
    """Return the mildest change that fits; ``None`` where none does, or nothing is known.

    Args:
        options: Which did not fit.
        machine: What is free now, without that model.
        on_gpu: Layers that are known to have been on a GPU.
    """
    try:
        plan = plan_of_path(Path(options.path), options.n_ctx, options.kv_cache_type)
        n_ctx = context_of(plan.shape, options.n_ctx)
        now = _memory(plan, options.dtype)
        steps = list(_steps(plan, options, n_ctx))
    except (InferenceError, OSError):
        return None
    room = machine.free_bytes * _USABLE - PROGRAM_BYTES[plan.engine]
    gpu_layers = options.gpu_layers or on_gpu
    if now.total_bytes <= room and plan.engine == "gguf" and gpu_layers > 0:
        return _fewer_layers(plan, options, n_ctx, gpu_layers)
    fitting = (step for step in steps if step.memory.total_bytes <= room)
    step = next(fitting, None)
    if step is None:
        return None
    return Smaller(
        msgspec.structs.replace(options, **step.changes),
        now.total_bytes - step.memory.total_bytes,
        step.n_ctx,
        n_ctx,
    )


def _steps(plan: Plan, options: LoadOptions, n_ctx: int) -> Iterator[_Step]:
    lengths = [n_ctx >> times for times in range(1, n_ctx.bit_length())]
    for length in lengths:
        if length >= _ENOUGH_N_CTX:
            yield _step(plan, options, n_ctx=length)
    further = _further(plan, options)
    if further:
        yield _step(plan, options, **further)
    for length in lengths:
        if length >= _LEAST_N_CTX:
            yield _step(plan, options, n_ctx=length, **further)


def _further(plan: Plan, options: LoadOptions) -> dict[str, Any]:
    """Return what beside the context can be smaller."""
    if plan.engine == "gguf":
        packed = options.kv_cache_type.startswith("q")
        # llama.cpp packs the cache only where flash attention may be used.
        return {} if packed or options.flash_attention is False else {"kv_cache_type": _PACKED}
    wide = options.dtype in ("auto", "float32") and _width(plan) > 2
    return {"dtype": "bfloat16"} if wide else {}


def _step(plan: Plan, options: LoadOptions, **changes: Any) -> _Step:  # noqa: ANN401  by name
    changed = msgspec.structs.replace(options, **changes)
    other = Plan(
        plan.engine,
        plan.shape,
        plan.weights_bytes,
        plan.parameters,
        changed.n_ctx,
        changed.kv_cache_type,
        plan.output_bytes,
        plan.input_bytes,
    )
    length = context_of(plan.shape, changed.n_ctx)
    return _Step(changes, length, _memory(other, changed.dtype))


def _memory(plan: Plan, dtype: str) -> MemoryEstimate:
    """Return what a plan takes; the native engine's in the type that was chosen."""
    memory = plan.memory()
    if plan.engine == "gguf" or dtype == "auto":
        return memory
    scale = (4 if dtype == "float32" else 2) / _width(plan)
    return MemoryEstimate(
        round(scale * memory.weights_bytes),
        round(scale * memory.kv_cache_bytes),
        round(scale * memory.buffers_bytes),
    )


def _width(plan: Plan) -> float:
    """Return the bytes per weight that the native engine is estimated with."""
    return plan.memory().weights_bytes / max(1, plan.parameters or plan.weights_bytes // 2)


def _fewer_layers(plan: Plan, options: LoadOptions, n_ctx: int, gpu_layers: int) -> Smaller:
    memory, layers = plan.memory(), plan.shape.n_layers + 1
    there = min(gpu_layers, layers)
    fewer = there // 2
    moved = (memory.weights_bytes + memory.kv_cache_bytes) * (there - fewer) // layers
    changed = msgspec.structs.replace(options, gpu_layers=fewer)
    return Smaller(changed, moved, n_ctx, n_ctx)
