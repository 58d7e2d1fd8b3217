"""transformers' own networks: tiny, random in every weight, saved to a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path

LLAMA_SHAPE: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "tie_word_embeddings": False,
    "bos_token_id": None,
    "eos_token_id": None,
    "attn_implementation": "eager",
}
GPT2_SHAPE: dict[str, Any] = {
    "vocab_size": 97,
    "n_embd": 48,
    "n_layer": 3,
    "n_head": 6,
    "n_positions": 256,
    "bos_token_id": None,
    "eos_token_id": None,
    "attn_implementation": "eager",
}
LLAMA3_ROPE: dict[str, Any] = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama, grouped heads, untied": ("llama", {}),
    "llama, tied": ("llama", {"tie_word_embeddings": True}),
    "llama, one key-value head per head": ("llama", {"num_key_value_heads": 6}),
    "llama, one key-value head for all": ("llama", {"num_key_value_heads": 1}),
    "llama, biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "llama, head width of its own": ("llama", {"head_dim": 10}),
    "llama, llama3 rope scaling": ("llama", {"rope_parameters": LLAMA3_ROPE}),
    "gpt2, tied": ("gpt2", {}),
    "gpt2, untied, narrow mlp": ("gpt2", {"tie_word_embeddings": False, "n_inner": 40}),
}


def reference_network(folder: Path, variant: str, seed: int = 0, **save: Any) -> Any:
    """Make transformers' network of a variant, save it to ``folder``, return it."""
    import transformers

    family, changes = VARIANTS[variant]
    if family == "llama":
        config = transformers.LlamaConfig(**(LLAMA_SHAPE | changes))
        network = transformers.LlamaForCausalLM(config)
    else:
        config = transformers.GPT2Config(**(GPT2_SHAPE | changes))
        network = transformers.GPT2LMHeadModel(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            is_norm = parameter.dim() == 1 and name.endswith("weight")
            parameter.normal_(1.0 if is_norm else 0.0, 0.2, generator=generator)
    network.save_pretrained(folder, **save)
    return network.eval()


def random_ids(length: int, seed: int = 1) -> torch.Tensor:
    """Return ids for any of the variants, (1, length)."""
    return torch.randint(0, 97, (1, length), generator=torch.Generator().manual_seed(seed))
