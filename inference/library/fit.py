"""Whether a model suits this computer: wholly on the GPU, partly, on the processor, or not at all.

Derived from the model's header and from what is free now; says nothing about a model that cannot
be run for another reason. Sizes are decimal: 1 GB = 10^9 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from inference.library.estimate import (
    MemoryEstimate,
    bytes_per_token,
    context_of,
    engine_estimate,
)
from inference.library.memory_shape import MemoryShape
from inference.library.offload import layers_that_fit

if TYPE_CHECKING:
    from inference.library.machine import Machine
    from inference.types import EngineKind

Verdict: TypeAlias = Literal["gpu", "partly", "processor", "too_large", "unknown", "waiting"]

PROGRAM_BYTES = {"gguf": 60_000_000, "native": 300_000_000}
"""What the engine process takes before it has a model: 48 and 240 MB measured on Linux."""
_USUAL_LAYERS = 30
_REACHED = 0.7
"""Share of the copying speed at which decoding reads weights: 0.6 to 1.0 measured on two cores,
with a 1-billion shape in Q4_K and a 135-million one in Q8_0."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be judged: one form of a model, as it would be loaded.

    Attributes:
        engine: Which engine runs it.
        shape: From its header or config.
        weights_bytes: Bytes of its weight files.
        parameters: Number of weights, 0 when unknown.
        n_ctx: Context; ``None`` takes the model's own, at most 4,096.
        kv_cache_type: ``f16`` ...
        output_bytes: The output layer, 0 when unknown.
        input_bytes: The embedding where the output is another matrix: it stays in main memory.
    """

    engine: EngineKind
    shape: MemoryShape
    weights_bytes: int
    parameters: int = 0
    n_ctx: int | None = None
    kv_cache_type: str = "f16"
    output_bytes: int = 0
    input_bytes: int = 0

    def memory(self) -> MemoryEstimate:
        """Return what it takes; raises ``UnsupportedRequestError`` for an unknown cache type."""
        return engine_estimate(
            self.engine,
            self.shape,
            self.weights_bytes,
            parameters=self.parameters,
            n_ctx=self.n_ctx,
            kv_cache_type=self.kv_cache_type,
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer, with the sum behind it.

    Attributes:
        verdict: Which of the four, ``unknown``, or ``waiting`` while nobody looked at the machine.
        memory: What it takes; ``None`` when unknown.
        n_ctx: The context that was reckoned with.
        layers: Layers there are; the output counts as one more.
        gpu_layers: Of those, on the GPU.
        tokens_per_s: Roughly, on the processor; 0 when not known or on the GPU.
        over_bytes: By how much it is too large.
        stays_free_bytes: What stays free of the memory that decides (GPU, or else main memory).
        rough: Told from the files' size alone, because the header was not read yet.
    """

    verdict: Verdict
    memory: MemoryEstimate | None = None
    n_ctx: int = 0
    layers: int = 0
    gpu_layers: int = 0
    tokens_per_s: float = 0.0
    over_bytes: int = 0
    stays_free_bytes: int = 0
    rough: bool = False

    @property
    def words(self) -> str:
        """The verdict for people."""
        if self.verdict == "gpu":
            return "Fits on the GPU"
        if self.verdict == "partly":
            if self.rough:
                return "Partly on the GPU"
            return f"{self.gpu_layers} of {self.layers} layers on the GPU"
        if self.verdict == "processor":
            return (
                f"Processor, {rate(self.tokens_per_s)}"
                if self.tokens_per_s
                else "Runs on the processor"
            )
        if self.verdict == "too_large":
            return f"Too large by {gigabytes(self.over_bytes)}"
        waits = self.verdict == "waiting"
        return "Looking at this computer …" if waits else "Size not known yet"

    @property
    def runs(self) -> bool:
        """Whether it can be loaded here."""
        return self.verdict in ("gpu", "partly", "processor")


def judge(plan: Plan, machine: Machine) -> Fit:
    """Hold a model against what is free now.

    The native engine is judged on the processor. Weights beyond what a GPU takes, and the program
    itself, have to find room in main memory.

    Raises:
        UnsupportedRequestError: There is no such cache type.
    """
    if not plan.shape.known or plan.weights_bytes <= 0:
        return Fit("unknown")
    return _judge(plan, plan.memory(), context_of(plan.shape, plan.n_ctx), machine)


def _judge(plan: Plan, memory: MemoryEstimate, n_ctx: int, machine: Machine) -> Fit:
    layers = plan.shape.n_layers + 1
    program = PROGRAM_BYTES[plan.engine]
    on_gpu = _gpu_layers(plan, memory, machine) if plan.engine == "gguf" else 0
    gpu_bytes = bytes_on_gpu(plan, on_gpu)
    shares = any(gpu.shares_memory for gpu in machine.gpus)
    main_bytes = program + memory.total_bytes - (0 if shares else gpu_bytes)
    over = main_bytes - machine.free_bytes
    if over > 0:
        return Fit("too_large", memory, n_ctx, layers, over_bytes=over)
    if on_gpu >= layers:
        left = sum(gpu.free_bytes for gpu in machine.gpus) - gpu_bytes
        return Fit("gpu", memory, n_ctx, layers, on_gpu, stays_free_bytes=max(0, left))
    if on_gpu:
        return Fit("partly", memory, n_ctx, layers, on_gpu, stays_free_bytes=-over)
    speed = decode_speed(plan, machine.bandwidth_bytes_per_s)
    return Fit("processor", memory, n_ctx, layers, tokens_per_s=speed, stays_free_bytes=-over)


def judge_by_size(weights_bytes: int, machine: Machine) -> Fit:
    """Judge a GGUF model of which only the size is known; the answer is marked as rough.

    A tenth of the weights is added for a context of 4,096 tokens, and 300 MB for buffers.
    """
    if weights_bytes <= 0:
        return Fit("unknown")
    memory = MemoryEstimate(weights_bytes, weights_bytes // 10, 300_000_000)
    shape = MemoryShape(_USUAL_LAYERS, 0, 1, 1, 0, 1, 0)
    plan = Plan("gguf", shape, weights_bytes, output_bytes=weights_bytes // 10)
    return replace(_judge(plan, memory, 4_096, machine), rough=True)


def decode_speed(plan: Plan, bandwidth_bytes_per_s: float) -> float:
    """Return roughly the tokens per second on the processor, from the memory speed; 0 if unknown.

    Each token reads all weights that work on it once. The cache of a conversation just begun is
    small beside them and left out.
    """
    weights = plan.memory().weights_bytes
    read = bytes_per_token(plan.shape, weights)
    if read <= 0 or bandwidth_bytes_per_s <= 0:
        return 0.0
    return _REACHED * bandwidth_bytes_per_s / read


def _gpu_layers(plan: Plan, memory: MemoryEstimate, machine: Machine) -> int:
    if not machine.gpus:
        return 0
    output, block = _parts(plan, memory)
    return layers_that_fit(machine.gpus, plan.shape.n_layers, max(1, block), output)


def bytes_on_gpu(plan: Plan, layers: int) -> int:
    """Return what so many layers take there, cache and buffers included; the output is the first.

    Raises:
        UnsupportedRequestError: There is no such cache type.
    """
    if not layers:
        return 0
    memory = plan.memory()
    output, block = _parts(plan, memory)
    return output + min(layers - 1, plan.shape.n_layers) * block + memory.buffers_bytes


def _parts(plan: Plan, memory: MemoryEstimate) -> tuple[int, int]:
    """Return the bytes of the output layer, and of a block with its cache."""
    output = plan.output_bytes or min(
        memory.weights_bytes // 2, plan.shape.n_vocab * plan.shape.width
    )  # about a byte per weight: outputs are quantized less than the rest
    blocks = memory.weights_bytes - output - plan.input_bytes + memory.kv_cache_bytes
    return output, blocks // plan.shape.n_layers


def gigabytes(size_bytes: int) -> str:
    """Return ``3.1 GB`` or, below a tenth of that unit, ``60 MB``; decimal."""
    if size_bytes < 100_000_000:
        return f"{max(1, round(size_bytes / 1e6))} MB"
    return f"{size_bytes / 1e9:.1f} GB"


def rate(tokens_per_s: float) -> str:
    """Return ``about 6 tokens/s``; a fraction only where it says something.

    Models that would be quicker than 100 are bound by other things than memory.
    """
    if tokens_per_s > 100:
        return "over 100 tokens/s"
    if tokens_per_s < 1.95:
        return f"about {max(0.1, tokens_per_s):.1f} tokens/s"
    return f"about {tokens_per_s:.0f} tokens/s"
