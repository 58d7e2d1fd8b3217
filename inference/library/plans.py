"""From an installed model to what ``fit`` judges: its shape and sizes, read from its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.library import checkpoint_folder, split_files
from inference.library.describe import is_gguf
from inference.library.fit import Plan
from inference.library.gguf_header import read_header
from inference.library.memory_shape import shape_of_config, shape_of_header

if TYPE_CHECKING:
    from pathlib import Path

_OUTPUTS = ("output.weight", "token_embd.weight")  # a tied output is the embedding once more


def plan_of_path(path: Path, n_ctx: int | None = None, kv_cache_type: str = "f16") -> Plan:
    """Return the plan of a ``.gguf`` file or a checkpoint folder.

    Args:
        path: Where it lies.
        n_ctx: Context in tokens; ``None`` takes the model's own, at most 4,096.
        kv_cache_type: For the GGUF engine.

    Raises:
        InferenceError: The files are missing or damaged.
    """
    if not is_gguf(path):
        weights = checkpoint_folder.read_weights(path)
        shape = shape_of_config(checkpoint_folder.read_config(path))
        return Plan("native", shape, weights.size_bytes, weights.parameters, n_ctx, kv_cache_type)
    headers = [read_header(part) for part in split_files.parts(split_files.first_part(path))]
    tensors = {tensor.name: tensor for header in headers for tensor in header.tensors}
    outputs = [tensors[name].size_bytes for name in _OUTPUTS if name in tensors]
    return Plan(
        "gguf",
        shape_of_header(headers[0]),
        sum(tensor.size_bytes for tensor in tensors.values()),
        sum(tensor.elements for tensor in tensors.values()),
        n_ctx,
        kv_cache_type,
        outputs[0] if outputs else 0,
        outputs[1] if len(outputs) > 1 else 0,
    )
