"""transformers' own networks: tiny, random in every weight, saved to a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path

VOCAB_SIZE = 97
_COMMON: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
    "attn_implementation": "eager",
}
_LLAMA_SHAPE: dict[str, Any] = _COMMON | {
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "tie_word_embeddings": False,
}
_GPT2_SHAPE: dict[str, Any] = _COMMON | {
    "n_embd": 48,
    "n_layer": 3,
    "n_head": 6,
    "n_positions": 256,
}

# Each has to show beyond the 64 positions that it was "trained" for, and within a head of 8.
ROPES: dict[str, dict[str, Any]] = {
    "linear": {"rope_type": "linear", "factor": 4.0},
    "dynamic": {"rope_type": "dynamic", "factor": 4.0},
    "llama3": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
    "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
    "yarn, as DeepSeek": {
        "rope_type": "yarn",
        "factor": 4.0,
        "original_max_position_embeddings": 64,
        "mscale": 1.0,
        "mscale_all_dim": 0.7,
        "beta_fast": 8.0,
        "beta_slow": 0.5,
        "truncate": False,
    },
    "longrope": {
        "rope_type": "longrope",
        "factor": 4.0,
        "short_factor": [1.0, 1.1, 1.2, 1.3],
        "long_factor": [1.0, 2.0, 3.0, 4.0],
        # Longer than the answers here: transformers reads a text that grows over it anew for
        # Phi-3 only, which has a variant of its own.
        "original_max_position_embeddings": 128,
    },
}


def scaled(name: str) -> dict[str, Any]:
    # The dynamic form takes max_position_embeddings as what it was trained for.
    context = {"max_position_embeddings": 64} if name == "dynamic" else {}
    return context | {"rope_parameters": {"rope_theta": 10_000.0} | ROPES[name]}


WINDOW = 24  # below the 64 positions that even the shortest test reads
PHI3_LONG: dict[str, Any] = {
    "rope_parameters": {"rope_theta": 10_000.0} | ROPES["longrope"],
    "original_max_position_embeddings": 64,
}
GEMMA3_ROPE: dict[str, Any] = {
    "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 100_000.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
}
MULTIPLIERS: dict[str, Any] = {
    "embedding_multiplier": 3.0,
    "attention_multiplier": 0.2,
    "residual_multiplier": 0.4,
    "logits_scaling": 2.5,
}

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama, grouped heads, untied": ("Llama", {}),
    "llama, tied": ("Llama", {"tie_word_embeddings": True}),
    "llama, one key-value head per head": ("Llama", {"num_key_value_heads": 6}),
    "llama, one key-value head for all": ("Llama", {"num_key_value_heads": 1}),
    "llama, biases": ("Llama", {"attention_bias": True, "mlp_bias": True}),
    "llama, head width of its own": ("Llama", {"head_dim": 10}),
    **{f"llama, {name} rope scaling": ("Llama", scaled(name)) for name in ROPES},
    "gpt2, tied": ("GPT2", {}),
    "gpt2, untied, narrow mlp": ("GPT2", {"tie_word_embeddings": False, "n_inner": 40}),
    "gpt_neox": ("GPTNeoX", {}),
    "gpt_neox, one part after the other, half of each head turns": (
        "GPTNeoX",
        {"use_parallel_residual": False, "rope_parameters": {"partial_rotary_factor": 0.5}},
    ),
    "gpt_neox, attention without biases": ("GPTNeoX", {"attention_bias": False}),
    "mistral, window": ("Mistral", {"sliding_window": WINDOW, "head_dim": 10}),
    "mistral, no window": ("Mistral", {"sliding_window": None}),
    "qwen2": ("Qwen2", {}),
    "qwen2, windows above, yarn": (
        "Qwen2",
        {"use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 1}
        | scaled("yarn"),
    ),
    "qwen3": ("Qwen3", {"head_dim": 10}),
    "qwen3, biases, dynamic": (
        "Qwen3",
        {"head_dim": 8, "attention_bias": True} | scaled("dynamic"),
    ),
    "phi3, window": ("Phi3", {"sliding_window": WINDOW}),
    "phi3, longrope": ("Phi3", PHI3_LONG),
    "phi3, part of each head turns": ("Phi3", {"partial_rotary_factor": 0.75}),
    "gemma2": ("Gemma2", {"sliding_window": WINDOW, "head_dim": 10, "query_pre_attn_scalar": 20}),
    "gemma2, no caps, biases": (
        "Gemma2",
        {
            "sliding_window": WINDOW,
            "head_dim": 8,
            "attention_bias": True,
            "attn_logit_softcapping": None,
            "final_logit_softcapping": None,
        },
    ),
    "gemma3": (
        "Gemma3",
        {"sliding_window": WINDOW, "head_dim": 8, "sliding_window_pattern": 3},
    ),
    "gemma3, stretched, capped logits": (
        "Gemma3",
        {
            "sliding_window": WINDOW,
            "head_dim": 8,
            "sliding_window_pattern": 2,
            "rope_parameters": GEMMA3_ROPE,
            "final_logit_softcapping": 20.0,
        },
    ),
    "olmo2": ("Olmo2", {}),
    "olmo2, biases": ("Olmo2", {"attention_bias": True, "num_key_value_heads": 6}),
    "granite": ("Granite", MULTIPLIERS),
    "granite, tied, biases": (
        "Granite",
        MULTIPLIERS | {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True},
    ),
    "smollm3": ("SmolLM3", {"no_rope_layer_interval": 2}),
    "smollm3, windows, marked layers": (
        "SmolLM3",
        {
            "no_rope_layers": [1, 0, 0],
            "use_sliding_window": True,
            "sliding_window": WINDOW,
            "attention_bias": True,
        },
    ),
}


def reference_network(folder: Path, variant: str, seed: int = 0, **save: Any) -> Any:
    """Make transformers' network of a variant, save it to ``folder``, return it."""
    family, changes = VARIANTS[variant]
    return random_network(folder, family, changes, seed=seed, **save)


def random_network(
    folder: Path,
    family: str,
    changes: dict[str, Any],
    *,
    seed: int = 0,
    deviation: float = 0.2,
    dtype: torch.dtype = torch.float32,
    **save: Any,
) -> Any:
    """Make transformers' network of a family, save it to ``folder``, return it.

    Args:
        folder: Where to.
        family: As in the names of transformers' classes.
        changes: What differs from the common shape.
        seed: Of the weights.
        deviation: Standard deviation of the weights.
        dtype: Type of the weights, also as saved.
        save: More for ``save_pretrained``.
    """
    import transformers

    transformers.utils.logging.disable_progress_bar()
    shape = _GPT2_SHAPE if family == "GPT2" else _LLAMA_SHAPE
    text = "Text" if family == "Gemma3" else ""
    config = getattr(transformers, f"{family}{text}Config")(**(shape | changes))
    ending = "LMHeadModel" if family == "GPT2" else "ForCausalLM"
    network = getattr(transformers, f"{family}{ending}")(config)
    middle = 0.0 if family.startswith("Gemma") else 1.0  # Gemma keeps them less 1
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            is_norm = parameter.dim() == 1 and name.endswith("weight")
            parameter.normal_(middle if is_norm else 0.0, deviation, generator=generator)
    network = network.to(dtype)
    network.save_pretrained(folder, **save)
    return network.eval()


def random_ids(length: int, seed: int = 1) -> torch.Tensor:
    """Return ids for any of the variants, (1, length)."""
    return torch.randint(0, VOCAB_SIZE, (1, length), generator=torch.Generator().manual_seed(seed))
