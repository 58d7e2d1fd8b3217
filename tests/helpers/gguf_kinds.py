"""Tiny random GGUF files of networks that remember in other ways: windows, one running state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import numpy as np

from tests.helpers.gguf_files import TinyShape, write_vocabulary

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = 32
_HIDDEN = 64


def windowed_gguf(path: Path) -> Path:
    """Write a Cohere 2 of four blocks: three look back 32 tokens, every fourth sees all."""
    writer, n_vocab = _begin(path, "cohere2", layers=4)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_eps(1e-5)
    writer.add_sliding_window(WINDOW)
    writer.add_logit_scale(1.0)
    writer.add_rope_dimension_count(_HIDDEN // 4)
    draw = _Draw(writer)
    draw.matrix("token_embd.weight", n_vocab, _HIDDEN)
    draw.ones("output_norm.weight", _HIDDEN)
    for layer in range(4):
        block = f"blk.{layer}."
        draw.ones(block + "attn_norm.weight", _HIDDEN)
        for name, rows, columns in (
            ("attn_q", _HIDDEN, _HIDDEN),
            ("attn_k", _HIDDEN // 2, _HIDDEN),
            ("attn_v", _HIDDEN // 2, _HIDDEN),
            ("attn_output", _HIDDEN, _HIDDEN),
            ("ffn_gate", 128, _HIDDEN),
            ("ffn_up", 128, _HIDDEN),
            ("ffn_down", _HIDDEN, 128),
        ):
            draw.matrix(f"{block}{name}.weight", rows, columns)
    return _end(writer, path)


def recurrent_gguf(path: Path) -> Path:
    """Write a Mamba of two blocks: it keeps one state of all it has read, and cannot go back."""
    inner, states, rank, kernel = 128, 8, 4, 4
    writer, n_vocab = _begin(path, "mamba", layers=2)
    writer.add_head_count(0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_ssm_conv_kernel(kernel)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(states)
    writer.add_ssm_time_step_rank(rank)
    draw = _Draw(writer)
    draw.matrix("token_embd.weight", n_vocab, _HIDDEN)
    draw.ones("output_norm.weight", _HIDDEN)
    for layer in range(2):
        block = f"blk.{layer}."
        draw.ones(block + "attn_norm.weight", _HIDDEN)
        for name, rows, columns in (
            ("ssm_in", 2 * inner, _HIDDEN),
            ("ssm_conv1d", inner, kernel),
            ("ssm_x", rank + 2 * states, inner),
            ("ssm_dt", inner, rank),
            ("ssm_out", _HIDDEN, inner),
        ):
            draw.matrix(f"{block}{name}.weight", rows, columns)
        draw.ones(block + "ssm_conv1d.bias", inner)
        draw.ones(block + "ssm_dt.bias", inner)
        draw.ones(block + "ssm_d", inner)
        writer.add_tensor(block + "ssm_a", -np.ones((inner, states), dtype=np.float32))
    return _end(writer, path)


class _Draw:
    """Random matrices, the same for each file."""

    def __init__(self, writer: gguf.GGUFWriter) -> None:
        self._writer = writer
        self._random = np.random.default_rng(3)

    def matrix(self, name: str, rows: int, columns: int) -> None:
        values = self._random.normal(0.0, 0.3, (rows, columns)).astype(np.float32)
        self._writer.add_tensor(name, values)

    def ones(self, name: str, length: int) -> None:
        self._writer.add_tensor(name, np.ones(length, dtype=np.float32))


def _begin(path: Path, architecture: str, layers: int) -> tuple[gguf.GGUFWriter, int]:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(512)
    writer.add_embedding_length(_HIDDEN)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(128)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    return writer, write_vocabulary(writer, TinyShape())


def _end(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
