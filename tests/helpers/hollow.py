"""GGUF files of real shapes whose weights are a hole: no disk, no time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import gguf
import numpy as np

from tests.helpers.gguf_files import byte_alphabet

if TYPE_CHECKING:
    from pathlib import Path

_Q8 = gguf.GGMLQuantizationType.Q8_0


def hollow_gguf(
    path: Path,
    *,
    layers: int,
    width: int,
    heads: int,
    kv_heads: int,
    ffn: int,
    vocab: int,
    architecture: str = "llama",
    head_width: int = 0,
) -> Path:
    """Write a Q8_0 file of a real shape whose weights are a hole: no disk, no time."""
    head = head_width or width // heads
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(131_072)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(ffn)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(vocab)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    alphabet = byte_alphabet()
    writer.add_token_list(alphabet + [f"t{index}" for index in range(vocab - len(alphabet))])
    writer.add_token_types([1] * vocab)
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    tensors = _tensors(
        layers=layers,
        width=width,
        q=heads * head,
        kv=kv_heads * head,
        ffn=ffn,
        vocab=vocab,
        normed_head=head if architecture == "qwen3" else 0,
    )
    sizes = [_tensor(writer, name, shape) for name, shape in tensors]
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    data_bytes = sum(-(-size // 32) * 32 for size in sizes)
    os.truncate(path, -(-path.stat().st_size // 32) * 32 + data_bytes)
    return path


def _tensors(
    *, layers: int, width: int, q: int, kv: int, ffn: int, vocab: int, normed_head: int
) -> list[tuple[str, tuple[int, ...]]]:
    found: list[tuple[str, tuple[int, ...]]] = [("token_embd", (vocab, width))]
    for layer in range(layers):
        block = f"blk.{layer}."
        found += [(block + "attn_norm", (width,)), (block + "ffn_norm", (width,))]
        found += [(block + "attn_q", (q, width)), (block + "attn_output", (width, q))]
        found += [(block + "attn_k", (kv, width)), (block + "attn_v", (kv, width))]
        found += [(block + "ffn_gate", (ffn, width)), (block + "ffn_up", (ffn, width))]
        found += [(block + "ffn_down", (width, ffn))]
        if normed_head:
            found += [
                (block + "attn_q_norm", (normed_head,)),
                (block + "attn_k_norm", (normed_head,)),
            ]
    return [*found, ("output_norm", (width,))]


def _tensor(writer: gguf.GGUFWriter, name: str, shape: tuple[int, ...]) -> int:
    full = name + ".weight"
    if len(shape) == 1:
        writer.add_tensor_info(full, shape, np.dtype(np.float32), shape[0] * 4)
        return shape[0] * 4
    rows, columns = shape
    row_bytes = columns // 32 * 34
    writer.add_tensor_info(full, (rows, row_bytes), np.dtype(np.uint8), rows * row_bytes, _Q8)
    return rows * row_bytes
