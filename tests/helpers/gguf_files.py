"""Tiny random GGUF files, made on the spot, for tests that need a loadable model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import gguf
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_NORMAL, _UNKNOWN, _CONTROL, _USER, _BYTE = 1, 2, 3, 4, 6


@dataclass(frozen=True, slots=True)
class TinyShape:
    """What a tiny file looks like; every field can be overridden by ``tiny_gguf``.

    ``vocabulary``: ``bpe`` = 256 bytes (id = byte), a few merges, ``<|endoftext|>`` (BOS),
    ``<|im_start|>``, ``<|im_end|>`` (EOS), ``<think>`` and ``<|user|>`` (user-defined);
    ``spm`` = unknown, BOS, EOS, 256 byte tokens, letters. ``weights`` off leaves a vocabulary-only
    file. ``successors`` makes the file say what is wanted: after token k greedy decoding draws
    ``successors[k]``, whatever came before.
    """

    architecture: str = "llama"
    vocabulary: Literal["bpe", "spm"] = "bpe"
    layers: int = 2
    hidden: int = 64
    heads: int = 4
    kv_heads: int = 2
    ffn: int = 128
    context: int = 512
    chat_template: str | None = CHAT_TEMPLATE
    add_bos: bool = True
    seed: int = 7
    name: str = "Tiny Random"
    weights: bool = True
    tied: bool = True
    std: float = 0.5
    successors: dict[int, int] = field(default_factory=dict)


def byte_alphabet() -> list[str]:
    """Return GPT-2's printable stand-in for each of the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    stand_ins = {byte: chr(byte) for byte in plain}
    for byte in range(256):
        if byte not in stand_ins:
            stand_ins[byte] = chr(256 + len(stand_ins) - len(plain))
    return [stand_ins[byte] for byte in range(256)]


def bpe_vocabulary() -> tuple[list[str], list[int], list[str]]:
    """Return tokens, types and merges of the tiny BPE vocabulary."""
    merges = ["h e", "l l", "he ll", "hell o", "Ġ w", "o r", "Ġw or", "t h", "th e", "Ġ the"]
    tokens = [*byte_alphabet(), *(merge.replace(" ", "") for merge in merges)]
    types = [_NORMAL] * len(tokens)
    tokens += ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "<|user|>"]
    types += [_CONTROL, _CONTROL, _CONTROL, _USER, _USER]
    return tokens, types, merges


def spm_vocabulary() -> tuple[list[str], list[int], list[float]]:
    """Return tokens, types and scores of the tiny SentencePiece vocabulary."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    types = [_UNKNOWN, _CONTROL, _CONTROL, *[_BYTE] * 256]
    scores = [0.0] * len(tokens)
    pieces = ["▁", *"etaoinshrdlu", "▁t", "he", "▁the", "▁a", "▁h", "ll", "hello", "▁hello"]
    tokens += pieces
    types += [_NORMAL] * len(pieces)
    scores += [-float(rank) for rank in range(len(pieces))]
    return tokens, types, scores


def tiny_gguf(path: Path, **overrides: Any) -> Path:
    """Write a tiny random Llama-shaped GGUF to ``path`` and return it; see ``TinyShape``."""
    shape = TinyShape(**overrides)
    writer = gguf.GGUFWriter(path, shape.architecture)
    writer.add_name(shape.name)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ffn)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.hidden // shape.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    if shape.chat_template is not None:
        writer.add_chat_template(shape.chat_template)
    n_vocab = write_vocabulary(writer, shape)
    if shape.weights:
        _write_weights(writer, shape, n_vocab)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_vocabulary(writer: gguf.GGUFWriter, shape: TinyShape) -> int:
    """Write tokens and what goes with them; return how many there are."""
    if shape.vocabulary == "bpe":
        tokens, types, merges = bpe_vocabulary()
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("gpt-2")
        writer.add_token_merges(merges)
        bos, eos = "<|endoftext|>", "<|im_end|>"
    else:
        tokens, types, scores = spm_vocabulary()
        writer.add_tokenizer_model("llama")
        writer.add_token_scores(scores)
        bos, eos = "<s>", "</s>"
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_bos_token_id(tokens.index(bos))
    writer.add_eos_token_id(tokens.index(eos))
    writer.add_add_bos_token(shape.add_bos)
    writer.add_vocab_size(len(tokens))
    return len(tokens)


def _write_weights(writer: gguf.GGUFWriter, shape: TinyShape, n_vocab: int) -> None:
    random = np.random.default_rng(shape.seed)

    def matrix(name: str, rows: int, columns: int) -> None:
        # With successors the blocks add nothing, so that the last token alone decides.
        std = 0.0 if shape.successors else shape.std
        writer.add_tensor(name, random.normal(0.0, std, (rows, columns)).astype(np.float32))

    def norm(name: str) -> None:
        writer.add_tensor(name, np.ones(shape.hidden, dtype=np.float32))

    kv = shape.hidden // shape.heads * shape.kv_heads
    embedding = random.normal(0.0, shape.std, (n_vocab, shape.hidden)).astype(np.float32)
    writer.add_tensor("token_embd.weight", embedding)
    norm("output_norm.weight")
    if shape.successors:
        output = np.zeros_like(embedding)
        for current, following in shape.successors.items():
            output[following] += embedding[current]
        writer.add_tensor("output.weight", output)
    elif not shape.tied:
        matrix("output.weight", n_vocab, shape.hidden)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        norm(block + "attn_norm.weight")
        matrix(block + "attn_q.weight", shape.hidden, shape.hidden)
        matrix(block + "attn_k.weight", kv, shape.hidden)
        matrix(block + "attn_v.weight", kv, shape.hidden)
        matrix(block + "attn_output.weight", shape.hidden, shape.hidden)
        norm(block + "ffn_norm.weight")
        matrix(block + "ffn_gate.weight", shape.ffn, shape.hidden)
        matrix(block + "ffn_up.weight", shape.ffn, shape.hidden)
        matrix(block + "ffn_down.weight", shape.hidden, shape.ffn)
