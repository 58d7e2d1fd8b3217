"""A tiny GGUF file that takes every common kind of weight through a quantised prompt.

All weights are zero: the arithmetic is real, the numbers do not matter. Written byte by byte, so
that the processor probe needs neither a model nor a writer package. Format: the GGUF specification
in ggml's docs/gguf.md, version 3.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY: Final = 32
_WIDTH: Final = 256  # one super-block of the K quantisations
_ALIGNMENT: Final = 32

_UINT32, _FLOAT32, _STRING = 4, 6, 8
_F32, _F16, _Q4_0, _Q8_0, _Q4_K, _Q5_K, _Q6_K = 0, 1, 2, 8, 12, 13, 14
_ROW_BYTES: Final = {  # of one row of 256 weights
    _F32: 1024,
    _F16: 512,
    _Q4_0: 8 * 18,
    _Q8_0: 8 * 34,
    _Q4_K: 144,
    _Q5_K: 176,
    _Q6_K: 210,
}
_METADATA: Final[tuple[tuple[str, str | int | float], ...]] = (
    ("general.architecture", "llama"),
    ("general.name", "processor probe"),
    ("llama.block_count", 1),
    ("llama.context_length", 64),
    ("llama.embedding_length", _WIDTH),
    ("llama.feed_forward_length", _WIDTH),
    ("llama.attention.head_count", 4),
    ("llama.attention.head_count_kv", 4),
    ("llama.attention.layer_norm_rms_epsilon", 1e-5),
    ("llama.rope.dimension_count", _WIDTH // 4),
    ("llama.vocab_size", VOCABULARY),
    ("tokenizer.ggml.model", "none"),
)
_TENSORS: Final = (  # name, rows (0: a vector), type; AMX and repacking differ per type
    ("token_embd.weight", VOCABULARY, _Q8_0),
    ("output_norm.weight", 0, _F32),
    ("blk.0.attn_norm.weight", 0, _F32),
    ("blk.0.attn_q.weight", _WIDTH, _Q4_0),
    ("blk.0.attn_k.weight", _WIDTH, _Q8_0),
    ("blk.0.attn_v.weight", _WIDTH, _F16),
    ("blk.0.attn_output.weight", _WIDTH, _Q6_K),
    ("blk.0.ffn_norm.weight", 0, _F32),
    ("blk.0.ffn_gate.weight", _WIDTH, _Q4_K),
    ("blk.0.ffn_up.weight", _WIDTH, _Q5_K),
    ("blk.0.ffn_down.weight", _WIDTH, _Q4_0),
)


def write_tiny_file(path: Path) -> None:
    """Write the file, about 0.6 MB.

    Raises:
        OSError: It cannot be written.
    """
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(_TENSORS), len(_METADATA))
    head += b"".join(_entry(key, value) for key, value in _METADATA)
    offset = 0
    for name, rows, kind in _TENSORS:
        shape = (_WIDTH, rows) if rows else (_WIDTH,)
        head += _string(name) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, offset)
        offset += _padded(_ROW_BYTES[kind] * max(1, rows))
    path.write_bytes(head.ljust(_padded(len(head)), b"\0") + bytes(offset))


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _entry(key: str, value: str | float) -> bytes:
    if isinstance(value, str):
        return _string(key) + struct.pack("<I", _STRING) + _string(value)
    if isinstance(value, int):
        return _string(key) + struct.pack("<II", _UINT32, value)
    return _string(key) + struct.pack("<If", _FLOAT32, value)


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
