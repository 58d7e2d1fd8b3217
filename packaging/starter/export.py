"""Trained networks as files: a Hugging Face folder, and GGUF in F16 and Q8_0.

GGUF pairs neighbouring numbers in the rotary embedding where Hugging Face pairs number i with
i + D/2, so the rows of query and key are put into another order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import torch
from starter.tokenizer import BOS, CHAT_TEMPLATE, END, SPECIALS, save_tokenizer

from inference.native.weights import save_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from inference.native.config import NetworkConfig
    from inference.native.network import Network

_BLOCK_NAMES = {
    "attention_norm": "attn_norm",
    "attention.query": "attn_q",
    "attention.key": "attn_k",
    "attention.value": "attn_v",
    "attention.output": "attn_output",
    "mlp_norm": "ffn_norm",
    "mlp.gate": "ffn_gate",
    "mlp.up": "ffn_up",
    "mlp.down": "ffn_down",
}
_QUANTS = {
    "F16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "Q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}


@dataclass(frozen=True, slots=True)
class Labels:
    """What the files say about themselves; ``chat`` models get the chat template."""

    file_name: str
    title: str
    description: str
    chat: bool


def export_model(network: Network, tokenizer: Tokenizer, out: Path, labels: Labels) -> None:
    """Write ``out/NAME/`` and ``out/NAME-F16.gguf``, ``out/NAME-Q8_0.gguf``.

    The weights are rounded to float16 once; every file is made from the same rounded numbers.
    """
    folder = out / labels.file_name
    folder.mkdir(parents=True, exist_ok=True)
    context = network.config.context
    end = tokenizer.token_to_id(END if labels.chat else BOS)
    ids = {"bos_token_id": tokenizer.token_to_id(BOS), "eos_token_id": end}
    save_checkpoint(network, folder, dtype=torch.float16, config_extra=ids)
    save_tokenizer(tokenizer, folder, context, chat=labels.chat)
    ends = [end, tokenizer.token_to_id(BOS)] if labels.chat else [end]
    generation = {**ids, "eos_token_id": ends}
    text = json.dumps(generation, indent=2) + "\n"
    (folder / "generation_config.json").write_text(text, encoding="utf-8")
    for quant in _QUANTS:
        write_gguf(network, tokenizer, out / f"{labels.file_name}-{quant}.gguf", labels, quant)


def write_gguf(
    network: Network, tokenizer: Tokenizer, path: Path, labels: Labels, quant: str
) -> None:
    """Write one GGUF file; matrices are stored as ``quant``, norms as float32."""
    kind, file_type = _QUANTS[quant]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name(labels.title)
    writer.add_description(labels.description)
    writer.add_license("MIT")
    writer.add_file_type(file_type)
    _add_shape(writer, network.config)
    _add_vocabulary(writer, tokenizer, chat=labels.chat)
    for name, values in gguf_tensors(network).items():
        if values.ndim == 1:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_tensors(network: Network) -> dict[str, NDArray[np.float32]]:
    """Return every weight under llama.cpp's name, rounded to float16, as float32."""
    config = network.config
    tensors: dict[str, NDArray[np.float32]] = {}
    for ours, tensor in network.state_dict().items():
        values = tensor.detach().cpu().half().float().numpy()
        if ours.endswith("attention.query.weight"):
            values = _neighbours(values, config.n_heads)
        elif ours.endswith("attention.key.weight"):
            values = _neighbours(values, config.n_kv_heads)
        tensors[_gguf_name(ours)] = np.ascontiguousarray(values)
    return tensors


def _neighbours(rows: NDArray[np.float32], n_heads: int) -> NDArray[np.float32]:
    """Order rows so that the halves of each head become neighbours."""
    inside, width = rows.shape
    halves = rows.reshape(n_heads, 2, inside // n_heads // 2, width)
    return halves.swapaxes(1, 2).reshape(inside, width)


def _gguf_name(ours: str) -> str:
    if ours.startswith("blocks."):
        _, layer, rest = ours.split(".", 2)
        stem, _, kind = rest.rpartition(".")
        return f"blk.{layer}.{_BLOCK_NAMES[stem]}.{kind}"
    top = {"token_embedding.weight": "token_embd.weight", "final_norm.weight": "output_norm.weight"}
    return top[ours]


def _add_shape(writer: Any, config: NetworkConfig) -> None:  # noqa: ANN401 - gguf ships no types
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.n_layers)
    writer.add_feed_forward_length(config.mlp_width)
    writer.add_head_count(config.n_heads)
    writer.add_head_count_kv(config.n_kv_heads)
    writer.add_rope_dimension_count(config.head_width)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _add_vocabulary(writer: Any, tokenizer: Tokenizer, *, chat: bool) -> None:  # noqa: ANN401 - as above
    vocabulary = tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=lambda token: vocabulary[token])
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([control if token in SPECIALS else normal for token in tokens])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    writer.add_bos_token_id(tokenizer.token_to_id(BOS))
    writer.add_eos_token_id(tokenizer.token_to_id(END if chat else BOS))
    writer.add_add_bos_token(True)
    if chat:
        writer.add_chat_template(CHAT_TEMPLATE)
