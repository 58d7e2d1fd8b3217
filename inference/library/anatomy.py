"""The parts of a model, block by block, read from its files' headers without loading it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inference.library.checkpoint_folder import read_config, read_weights
from inference.library.gguf_header import read_header
from inference.library.memory_shape import kv_bytes, shape_of_config, shape_of_header
from inference.library.split_files import parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.library.memory_shape import MemoryShape
    from inference.types import LoadedModel, ModelInfo

_BLOCK = re.compile(r"(?:^|\.)(?:blk|layers|h)\.(\d+)\.")
_EMBEDDING = re.compile(r"token_embd|position_embd|token_types|embed|wte|wpe")


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: ``shape`` as the file has it, ``type_name`` as stored, e.g. ``Q4_K``."""

    name: str
    shape: tuple[int, ...]
    type_name: str
    parameters: int


@dataclass(frozen=True, slots=True)
class Block:
    """Tensors that belong together: ``embedding``, ``block 0`` ..., ``output``."""

    name: str
    tensors: tuple[Tensor, ...]

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(tensor.parameters for tensor in self.tensors)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """All parts of a model.

    Attributes:
        blocks: In the order in which a token passes through them.
        n_heads: Query heads of a block.
        kv_width: Numbers that a token leaves in the KV cache, all layers together.
    """

    blocks: tuple[Block, ...]
    n_heads: int
    kv_width: int

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(block.parameters for block in self.blocks)


def anatomy(info: ModelInfo) -> Anatomy:
    """Read the parts of a model.

    Raises:
        InferenceError: A file is missing or damaged.
    """
    path = Path(info.path)
    if info.engine == "gguf":
        headers = [read_header(part) for part in parts(path)]
        tensors = [
            Tensor(tensor.name, tensor.shape, tensor.type_name, tensor.elements)
            for header in headers
            for tensor in header.tensors
        ]
        return _assembled(tensors, shape_of_header(headers[0]))
    stored = read_weights(path).tensors
    tensors = [Tensor(one.name, one.shape, one.dtype, one.elements) for one in stored]
    return _assembled(tensors, shape_of_config(read_config(path)))


def kv_bytes_per_token(parts: Anatomy, loaded: LoadedModel) -> float:
    """Return what a token takes in the KV cache, as the engine keeps it."""
    if loaded.kv_cache_type:  # llama.cpp rounds the whole cache up, so that it cannot be divided
        return parts.kv_width * kv_bytes(loaded.kv_cache_type)
    return loaded.kv_cache_bytes / loaded.n_ctx


def _assembled(tensors: Iterable[Tensor], shape: MemoryShape) -> Anatomy:
    before: list[Tensor] = []
    after: list[Tensor] = []
    numbered: dict[int, list[Tensor]] = {}
    for tensor in tensors:
        found = _BLOCK.search(tensor.name)
        if found:
            numbered.setdefault(int(found[1]), []).append(tensor)
        else:
            (before if _EMBEDDING.search(tensor.name) else after).append(tensor)
    blocks = [Block(f"block {number}", tuple(numbered[number])) for number in sorted(numbered)]
    ends = [Block("embedding", tuple(before))], [Block("output", tuple(after))]
    whole = (*ends[0], *blocks, *ends[1])
    return Anatomy(tuple(block for block in whole if block.tensors), shape.n_heads, shape.kv_width)
