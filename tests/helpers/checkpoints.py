"""Tiny checkpoint folders with random weights, made in a moment: real files, real tokenizer.

A folder holds config.json, model.safetensors, tokenizer.json and tokenizer_config.json. The same
arguments give the same bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from inference.native.config import NetworkConfig

VOCAB_SIZE = 320
END_OF_TEXT = "<|endoftext|>"
IM_START = "<|im_start|>"
IM_END = "<|im_end|>"
SPECIALS = (END_OF_TEXT, IM_START, IM_END)
"""Their ids are 0, 1, 2. BOS is ``<|endoftext|>`` (only with ``add_bos``), EOS ``<|im_end|>``."""

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

_CORPUS = (
    "Once upon a time there was a little girl who loved to play in the park with her red ball.",
    "The sky is blue because air scatters blue light more than red light.",
    "What is a token? A token is a piece of text that the model reads as one number.",
)


def tiny_llama(folder: Path, **overrides: Any) -> Path:
    """Write a Llama folder: 2 blocks, width 32, 4 heads sharing 2 key-value heads.

    Args:
        folder: Made if absent.
        overrides: Fields of ``NetworkConfig``; also ``seed``, ``dtype`` (``float32`` ...),
            ``chat_template`` (``None`` for a base model) and ``add_bos``.

    Returns:
        ``folder``.
    """
    shape: dict[str, Any] = {
        "family": "llama",
        "vocab_size": VOCAB_SIZE,
        "width": 32,
        "n_layers": 2,
        "n_heads": 4,
        "n_kv_heads": 2,
        "head_width": 8,
        "mlp_width": 64,
        "context": 512,
    }
    return _write(folder, shape, overrides)


def tiny_gpt2(folder: Path, **overrides: Any) -> Path:
    """Write a GPT-2 folder: 2 blocks, width 32, 4 heads; arguments as for ``tiny_llama``."""
    shape: dict[str, Any] = {
        "family": "gpt2",
        "vocab_size": VOCAB_SIZE,
        "width": 32,
        "n_layers": 2,
        "n_heads": 4,
        "n_kv_heads": 4,
        "head_width": 8,
        "mlp_width": 128,
        "context": 512,
        "attention_bias": True,
        "attention_output_bias": True,
        "mlp_bias": True,
    }
    return _write(folder, shape, overrides)


def tiny_tokenizer(
    folder: Path, *, chat_template: str | None = CHAT_TEMPLATE, add_bos: bool = False
) -> None:
    """Write tokenizer.json (byte-level BPE, ``VOCAB_SIZE`` ids) and tokenizer_config.json."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        special_tokens=[AddedToken(text, special=True, normalized=False) for text in SPECIALS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS * 4, trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END_OF_TEXT if add_bos else None,
        "add_bos_token": add_bos,
        "eos_token": IM_END,
    }
    if chat_template is not None:
        settings["chat_template"] = chat_template
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def _write(folder: Path, shape: dict[str, Any], overrides: dict[str, Any]) -> Path:
    import torch

    from inference.native.config import NetworkConfig
    from inference.native.network import Network
    from inference.native.weights import save_checkpoint

    seed = overrides.pop("seed", 0)
    dtype = getattr(torch, overrides.pop("dtype", "float32"))
    template = overrides.pop("chat_template", CHAT_TEMPLATE)
    add_bos = overrides.pop("add_bos", False)
    config: NetworkConfig = NetworkConfig(**(shape | overrides))
    network = Network(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            middle = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            parameter.normal_(middle, 0.2, generator=generator)
    save_checkpoint(
        network,
        folder,
        dtype=dtype,
        config_extra={"bos_token_id": 0 if add_bos else None, "eos_token_id": 2},
    )
    tiny_tokenizer(folder, chat_template=template, add_bos=add_bos)
    return folder
