"""Every tensor of a checkpoint as llama.cpp wants it: its name, the order of its rows, its type.

GGUF keeps a matrix as rows of inputs, one row per output, as Hugging Face does. Three things
differ: llama.cpp turns neighbouring numbers of a head where Hugging Face turns number i with number
i + R/2 (in the families that ``NEIGHBOURS`` names); it wants all queries, then all keys, then all
values of a fused product; and a norm's weights are the ones it multiplies with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from inference.library.architectures import NEIGHBOURS
from inference.native.registry import family_of
from inference.native.rows import TensorRows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from inference.native.config import NetworkConfig
    from inference.native.families.base import Design
    from inference.native.rows import Rows
    from inference.native.weights import Checkpoint, StoredTensor

ARCHITECTURES: Final[Mapping[str, str]] = {
    "gemma2": "gemma2",
    "gemma3_text": "gemma3",
    "gpt2": "gpt2",
    "gpt_neox": "gptneox",
    "granite": "granite",
    "llama": "llama",
    "mistral": "llama",
    "olmo2": "olmo2",
    "phi3": "phi3",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "smollm3": "smollm3",
}
"""Our families and what llama.cpp calls them; those that are missing are not converted."""

_NAMES: Final[Mapping[str, str]] = {
    "token_embedding": "token_embd",
    "position_embedding": "position_embd",
    "final_norm": "output_norm",
    "output": "output",
    "attention_norm": "attn_norm",
    "attention.query": "attn_q",
    "attention.key": "attn_k",
    "attention.value": "attn_v",
    "attention.query_key_value": "attn_qkv",
    "attention.query_norm": "attn_q_norm",
    "attention.key_norm": "attn_k_norm",
    "attention.output": "attn_output",
    "attention_norm_after": "post_attention_norm",
    "mlp_norm": "ffn_norm",
    "mlp.gate": "ffn_gate",
    "mlp.gate_up": "ffn_up",
    "mlp.up": "ffn_up",
    "mlp.down": "ffn_down",
    "mlp_norm_after": "post_ffw_norm",
}
_BLOCK: Final = re.compile(r"blocks\.(\d+)\.")
_PIECE_WEIGHTS: Final = 1 << 22  # 16 MB of float32 at a time


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """One tensor of the new file.

    Attributes:
        name: llama.cpp's name.
        stored: Where the numbers are.
        shape: Rows and columns as written, or the length of a vector.
        transposed: The stored matrix lies on its side.
        order: Which stored row is written in each place; None is as they are.
        added: Added to every number.
    """

    name: str
    stored: StoredTensor
    shape: tuple[int, ...]
    transposed: bool = False
    order: NDArray[np.int64] | None = None
    added: float = 0.0

    @property
    def is_matrix(self) -> bool:
        """Whether its type may be chosen: vectors and learned positions stay float32."""
        return len(self.shape) == 2 and self.name != "position_embd.weight"

    def table(self) -> TensorRows:
        """Open the stored numbers."""
        return TensorRows(self.stored, transposed=self.transposed)

    def pieces(self) -> Iterator[Rows]:
        """Yield which rows come next, from first to last, some megabytes at a time."""
        step = max(1, _PIECE_WEIGHTS // max(1, self.shape[-1]))
        for start in range(0, self.shape[0], step):
            stop = min(start + step, self.shape[0])
            yield slice(start, stop) if self.order is None else self.order[start:stop]


def plan_tensors(checkpoint: Checkpoint) -> tuple[PlannedTensor, ...]:
    """Return every tensor of the new file, in the network's order."""
    config = checkpoint.config
    design = family_of(config).design
    return tuple(
        _planned(ours, stored, config, design) for ours, stored in checkpoint.tensors.items()
    )


def _planned(
    ours: str, stored: StoredTensor, config: NetworkConfig, design: Design
) -> PlannedTensor:
    block = _BLOCK.match(ours)
    stem, _, kind = (ours[block.end() :] if block else ours).rpartition(".")
    transposed = design.transposed and block is not None and len(stored.shape) == 2
    return PlannedTensor(
        name=f"blk.{block[1]}.{_NAMES[stem]}.{kind}" if block else f"{_NAMES[stem]}.{kind}",
        stored=stored,
        shape=stored.shape[::-1] if transposed else stored.shape,
        transposed=transposed,
        order=_order(stem, config, design),
        added=1.0 if design.norm == "rms_from_one" and "norm" in stem else 0.0,
    )


def _order(stem: str, config: NetworkConfig, design: Design) -> NDArray[np.int64] | None:
    if stem == "attention.query_key_value" and design.fused_attention == "heads":
        rows = np.arange(3 * config.n_heads * config.head_width)
        by_head = rows.reshape(config.n_heads, 3, config.head_width)
        return by_head.swapaxes(0, 1).reshape(-1)
    if ARCHITECTURES[config.family] in NEIGHBOURS:
        heads = {"attention.query": config.n_heads, "attention.key": config.n_kv_heads}.get(stem)
        if heads:
            return _neighbours(heads, config.head_width, config.turning_width)
    return None


def _neighbours(n_heads: int, head_width: int, turning: int) -> NDArray[np.int64]:
    """Order the rows so that the halves of what turns in each head become neighbours."""
    of_head = np.arange(head_width)
    of_head[:turning] = of_head[:turning].reshape(2, turning // 2).T.reshape(-1)
    starts = np.arange(n_heads) * head_width
    return (starts[:, None] + of_head).reshape(-1)
