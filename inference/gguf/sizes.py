"""How much memory the parts of a model take, from its header: what a plan is made with.

Derived figures, known before anything is loaded; what llama.cpp measures afterwards is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from inference.library.offload import layers_that_fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from inference.gguf.devices import Device
    from inference.library.gguf_header import GgufHeader

KV_BYTES: Final[Mapping[str, float]] = {"f32": 4.0, "f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
"""Bytes per value of each KV-cache type (q8_0 and q4_0: blocks of 32 with a 2-byte scale)."""

ALL_LAYERS: Final = -1
LARGEST_DEFAULT_CONTEXT: Final = 4096
"""What a model gets unless somebody asks for more."""

_BLOCK: Final = re.compile(r"blk\.(\d+)\.")
_PART: Final = re.compile(r"-\d{5}-of-(\d{5})\.gguf$")


@dataclass(frozen=True, slots=True)
class ModelSizes:
    """Sizes in bytes of one model, all parts of a split one together.

    Attributes:
        total_bytes: The file, or all files.
        layers: Blocks.
        layer_bytes: The largest block.
        output_bytes: The output layer.
        n_ctx_train: Context it was trained for; 0 when unknown.
        kv_values: Values that one block keeps per token of context.
    """

    total_bytes: int
    layers: int
    layer_bytes: int
    output_bytes: int
    n_ctx_train: int
    kv_values: int

    @classmethod
    def of(cls, path: Path, header: GgufHeader) -> ModelSizes:
        """Read the sizes from a header; ``path`` finds the other parts of a split model."""
        total = sum(part.stat().st_size for part in parts_of(path))
        layers = max(1, header.own("block_count"))
        blocks: dict[int, int] = {}
        named: dict[str, int] = {}
        for tensor in header.tensors:
            block = _BLOCK.match(tensor.name)
            if block:
                blocks[int(block[1])] = blocks.get(int(block[1]), 0) + tensor.size_bytes
            else:
                named[tensor.name] = tensor.size_bytes
        largest = max(blocks.values(), default=0)
        if total > header.file_bytes:  # this header has only its own part's tensors
            largest = max(largest, total // layers)
        # Where the output is tied to the embedding, llama.cpp puts a second copy on the device.
        output = named.get("output.weight", named.get("token_embd.weight", 0))
        heads = max(1, header.own("attention.head_count"))
        head_size = header.own("embedding_length") // heads
        key = header.own("attention.key_length") or head_size
        value = header.own("attention.value_length") or head_size
        kv_heads = header.own("attention.head_count_kv") or heads
        return cls(
            total_bytes=total,
            layers=layers,
            layer_bytes=largest,
            output_bytes=output,
            n_ctx_train=header.own("context_length"),
            kv_values=kv_heads * (key + value),
        )

    def kv_layer_bytes(self, n_ctx: int, kv_type: str) -> int:
        """Return the KV cache of one block for a whole context."""
        return int(n_ctx * self.kv_values * KV_BYTES[kv_type])

    def kv_bytes(self, n_ctx: int, kv_type: str) -> int:
        """Return the KV cache of all blocks for a whole context."""
        return self.layers * self.kv_layer_bytes(n_ctx, kv_type)

    def context(self, asked: int | None) -> int:
        """Return the context to make: as asked for, at most what the model was trained for."""
        trained = self.n_ctx_train
        if asked is None:
            return min(trained or LARGEST_DEFAULT_CONTEXT, LARGEST_DEFAULT_CONTEXT)
        return min(asked, trained) if trained else asked

    def layers_for(
        self, asked: int | None, devices: Sequence[Device], n_ctx: int, kv_type: str
    ) -> int:
        """Return the number of GPU layers to ask llama.cpp for: as chosen, or as many as fit."""
        if asked is not None:
            return asked
        layer = self.layer_bytes + self.kv_layer_bytes(n_ctx, kv_type)
        fitting = layers_that_fit(devices, self.layers, layer, self.output_bytes)
        return ALL_LAYERS if fitting > self.layers else fitting


def parts_of(path: Path) -> tuple[Path, ...]:
    """Return all files of a model: one, or those of a model split as llama.cpp does it."""
    found = _PART.search(path.name)
    if found is None:
        return (path,)
    stem = path.name[: found.start()]
    return tuple(sorted(path.parent.glob(f"{_escaped(stem)}-?????-of-{found[1]}.gguf")))


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
