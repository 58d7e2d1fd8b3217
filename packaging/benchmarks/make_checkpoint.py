"""Make a checkpoint of a real shape with random weights: speed does not depend on the values.

    python packaging/benchmarks/make_checkpoint.py             1-billion shape, Q4_K_M, GGUF
    python packaging/benchmarks/make_checkpoint.py --type F16  the same in F16
    python packaging/benchmarks/make_checkpoint.py --shape 60m a small one, to try a benchmark out

Prints the file's path; a file that is there already is kept. It lies in the user's cache folder.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import string
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import gguf
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from inference.paths import app_paths  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPECIALS = 256
_RANDOM_VALUES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shape:
    """A Llama with tied embeddings."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    ffn: int
    vocabulary: int
    context: int = 131_072

    def tensors(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield every tensor's name and shape (rows first) in the order of the file."""
        kv = self.hidden // self.heads * self.kv_heads
        yield "token_embd.weight", (self.vocabulary, self.hidden)
        for layer in range(self.layers):
            block = f"blk.{layer}."
            yield block + "attn_norm.weight", (self.hidden,)
            yield block + "attn_q.weight", (self.hidden, self.hidden)
            yield block + "attn_k.weight", (kv, self.hidden)
            yield block + "attn_v.weight", (kv, self.hidden)
            yield block + "attn_output.weight", (self.hidden, self.hidden)
            yield block + "ffn_norm.weight", (self.hidden,)
            yield block + "ffn_gate.weight", (self.ffn, self.hidden)
            yield block + "ffn_up.weight", (self.ffn, self.hidden)
            yield block + "ffn_down.weight", (self.hidden, self.ffn)
        yield "output_norm.weight", (self.hidden,)


SHAPES = {
    "1b": Shape(layers=16, hidden=2048, heads=32, kv_heads=8, ffn=8192, vocabulary=128_256),
    "60m": Shape(layers=8, hidden=512, heads=8, kv_heads=4, ffn=2048, vocabulary=32_000),
}


def vocabulary(size: int) -> tuple[list[str], list[str], list[str]]:
    """Return tokens, merges and special tokens of a made-up byte-level BPE vocabulary.

    After the 256 bytes come all words of two and three small letters and as many of four as there
    is room for; the last 256 tokens are special.
    """
    letters = string.ascii_lowercase
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    tokens = [chr(byte) for byte in plain] + [chr(256 + n) for n in range(256 - len(plain))]
    pairs = ["".join(pair) for pair in itertools.product(letters, repeat=2)]
    merges = [f"{a} {b}" for a, b in itertools.product(letters, repeat=2)]
    merges += [f"{pair} {letter}" for pair in pairs for letter in letters]
    fours = (f"{first} {second}" for first in pairs for second in pairs)
    room = size - _SPECIALS - len(tokens)
    merges = [*merges, *itertools.islice(fours, max(0, room - len(merges)))][:room]
    tokens += [merge.replace(" ", "") for merge in merges]
    specials = ["<|begin_of_text|>", "<|end_of_text|>"]
    specials += [f"<|reserved_{number}|>" for number in range(_SPECIALS - 2)]
    return tokens + specials, merges, specials


def write_f16(path: Path, shape: Shape) -> None:
    """Write the GGUF in F16, one tensor in memory at a time."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Random weights")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ffn)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.hidden // shape.heads)
    writer.add_rope_freq_base(500_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(shape.vocabulary)
    tokens, merges, specials = vocabulary(shape.vocabulary)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * (len(tokens) - len(specials)) + [3] * len(specials))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<|begin_of_text|>"))
    writer.add_eos_token_id(tokens.index("<|end_of_text|>"))
    writer.add_add_bos_token(True)
    for name, size in shape.tensors():
        dtype = np.dtype(np.float32 if len(size) == 1 else np.float16)
        byte_count = int(np.prod(size)) * dtype.itemsize
        writer.add_tensor_info(name, size, dtype, byte_count)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for values in _values(shape):
        writer.write_tensor_data(values)
    writer.close()


def _values(shape: Shape) -> Iterator[np.ndarray]:
    random = np.random.default_rng(1)
    pool = random.standard_normal(_RANDOM_VALUES, dtype=np.float32).astype(np.float16)
    pool *= np.float16(0.02)
    for _name, size in shape.tensors():
        if len(size) == 1:
            yield np.ones(size, dtype=np.float32)
        else:
            yield np.resize(np.roll(pool, int(random.integers(_RANDOM_VALUES))), size)


def quantize(source: Path, target: Path, type_name: str) -> None:
    """Quantize with llama.cpp.

    Raises:
        SystemExit: llama.cpp refused.
    """
    from inference.gguf.library import api, log, start  # noqa: PLC0415  heavy

    start()
    params = api.llama_model_quantize_default_params()
    params.ftype = getattr(api, f"LLAMA_FTYPE_MOSTLY_{type_name}")
    params.nthread = os.cpu_count() or 1
    if api.llama_model_quantize(os.fsencode(source), os.fsencode(target), params) != 0:
        sys.exit("\n".join(["llama.cpp could not quantize:", *log.since(0)[-5:]]))


def checkpoint(shape_name: str = "1b", type_name: str = "Q4_K_M") -> Path:
    """Return the path of the checkpoint, made if it is not there."""
    folder = app_paths().cache / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"random-{shape_name}-{type_name}.gguf"
    if path.exists():
        return path
    fresh = path.with_suffix(".part")
    full = folder / f"random-{shape_name}-F16.gguf"
    if type_name == "F16":
        write_f16(fresh, SHAPES[shape_name])
    else:
        kept = full.exists()
        quantize(checkpoint(shape_name, "F16"), fresh, type_name)
        if not kept:
            full.unlink()
    fresh.replace(path)
    return path


def main() -> None:
    """Make what the command line asks for and print its path as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shape", choices=sorted(SHAPES), default="1b")
    parser.add_argument("--type", default="Q4_K_M", help="F16 or a quantization: Q4_K_M, Q8_0 ...")
    arguments = parser.parse_args()
    path = checkpoint(arguments.shape, arguments.type)
    print(json.dumps({"path": str(path), "bytes": path.stat().st_size}))


if __name__ == "__main__":
    main()
