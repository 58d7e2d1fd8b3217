from __future__ import annotations

import json
from typing import Any

import pytest

from inference.errors import CorruptCheckpointError, UnsupportedArchitectureError
from inference.native.config import NetworkConfig
from inference.native.scaling import Llama3Scaling
from tests.helpers.assets import asset

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 320,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
GPT2: dict[str, Any] = {
    "architectures": ["GPT2LMHeadModel"],
    "model_type": "gpt2",
    "vocab_size": 320,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 64,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}


def test_llama_defaults_are_those_of_the_family() -> None:
    config = NetworkConfig.from_dict(LLAMA)
    assert config.head_width == 8
    assert config.rope_theta == 10_000
    assert not config.tied_output
    assert not config.attention_bias


def test_gpt2_defaults_are_those_of_the_family() -> None:
    config = NetworkConfig.from_dict(GPT2)
    assert config.mlp_width == 128
    assert config.tied_output
    assert config.attention_bias


@pytest.mark.parametrize("key", ["rope_scaling", "rope_parameters"])
def test_llama3_scaling_is_read_from_both_forms(key: str) -> None:
    theta = {"rope_theta": 500_000.0}
    where = LLAMA3_ROPE | theta if key == "rope_parameters" else LLAMA3_ROPE
    top = {} if key == "rope_parameters" else theta
    config = NetworkConfig.from_dict(LLAMA | top | {key: where})
    assert config.rope_theta == 500_000
    assert config.rope_scaling == Llama3Scaling(32.0, 1.0, 4.0, 8192)


@pytest.mark.parametrize(
    "config",
    [
        LLAMA | {"rope_scaling": LLAMA3_ROPE, "attention_bias": True, "mlp_bias": True},
        LLAMA | {"tie_word_embeddings": True, "head_dim": 16},
        GPT2,
        GPT2 | {"tie_word_embeddings": False, "n_inner": 48},
    ],
)
def test_a_written_config_reads_back_the_same(config: dict[str, Any]) -> None:
    first = NetworkConfig.from_dict(config)
    again = NetworkConfig.from_dict(json.loads(json.dumps(first.to_dict())))
    assert again == first


def test_a_real_llama_config_is_understood() -> None:
    found = json.loads(asset("configs/meta-llama__Llama-3.2-1B.json").read_text())
    config = NetworkConfig.from_dict(found)
    assert (config.n_layers, config.n_kv_heads, config.head_width) == (16, 8, 64)
    assert config.rope_scaling == Llama3Scaling(32.0, 1.0, 4.0, 8192)
    assert config.tied_output


def test_a_real_gpt2_config_is_understood() -> None:
    found = json.loads(asset("configs/openai-community__gpt2-xl.json").read_text())
    config = NetworkConfig.from_dict(found)
    assert (config.n_layers, config.n_heads, config.width) == (48, 25, 1600)


def test_real_configs_of_other_families_are_understood() -> None:
    def read(name: str, **changes: Any) -> NetworkConfig:
        found = json.loads(asset(f"configs/{name}.json").read_text())
        return NetworkConfig.from_dict(found | changes)

    # The stored one is of a classifier, which is another network at its end.
    pythia = read("EleutherAI__pythia-410m", architectures=["GPTNeoXForCausalLM"])
    assert (pythia.family, pythia.parallel, pythia.rotary_width) == ("gpt_neox", True, 16)
    qwen2 = read("Qwen__Qwen2.5-7B")
    assert (qwen2.attention_bias, qwen2.attention_output_bias) == (True, False)
    assert qwen2.windows == ()
    qwen3 = read("Qwen__Qwen3-4B")
    assert (qwen3.family, qwen3.head_width, qwen3.tied_output) == ("qwen3", 128, True)
    smollm2 = read("HuggingFaceTB__SmolLM2-360M-Instruct")
    assert (smollm2.family, smollm2.n_kv_heads) == ("llama", 5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architectures": ["MambaForCausalLM"], "model_type": "mamba"}, "Mamba"),
        ({"architectures": None, "model_type": "mamba"}, "mamba"),
        ({"model_type": "mistral"}, "LlamaForCausalLM"),
        ({"auto_map": {"AutoModel": "own.py"}}, "Python code"),
        ({"quantization_config": {"bits": 4}}, "quantized"),
        ({"hidden_act": "gelu"}, "SiLU"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "SequenceClassification"),
        ({"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe"}, "Qwen3Moe"),
        ({"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3"}, "Gemma3"),
        ({"rope_scaling": {"rope_type": "spiral", "factor": 2.0}}, "spiral"),
    ],
)
def test_a_variant_that_would_be_computed_wrongly_is_refused(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnsupportedArchitectureError) as caught:
        NetworkConfig.from_dict(LLAMA | changes)
    assert said in caught.value.message
    assert "GGUF" in caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"activation_function": "relu"},
        {"scale_attn_weights": False},
        {"scale_attn_by_inverse_layer_idx": True},
        {"add_cross_attention": True},
    ],
)
def test_a_gpt2_variant_that_would_be_computed_wrongly_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedArchitectureError, match="native engine"):
        NetworkConfig.from_dict(GPT2 | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden_size": None}, "does not say hidden_size"),
        ({"hidden_size": -1}, "hidden_size"),
        ({"hidden_size": "32"}, "hidden_size"),
        ({"hidden_size": True}, "hidden_size"),
        ({"hidden_size": 33}, "33"),
        ({"vocab_size": 10**12}, "vocab_size"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers"),
        ({"num_key_value_heads": 3}, "3"),
        ({"num_key_value_heads": 0}, "num_key_value_heads"),
        ({"head_dim": 7}, "7 of 7"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps"),
        ({"rms_norm_eps": "small"}, "rms_norm_eps"),
        ({"rope_theta": 0}, "rope_theta"),
        ({"rope_scaling": [1]}, "rope_scaling"),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 2.0}}, "low_freq_factor"),
        ({"rope_scaling": LLAMA3_ROPE | {"low_freq_factor": 5.0}}, "wrong way round"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings"),
        ({"architectures": "LlamaForCausalLM"}, "architectures"),
        ({"architectures": None, "model_type": None}, "architecture"),
    ],
)
def test_a_value_that_cannot_be_true_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(CorruptCheckpointError) as caught:
        NetworkConfig.from_dict(LLAMA | changes)
    assert said in caught.value.message
    assert caught.value.hint


def test_gpt2_heads_have_to_divide_the_width() -> None:
    with pytest.raises(CorruptCheckpointError, match="5 heads"):
        NetworkConfig.from_dict(GPT2 | {"n_head": 5})


def test_a_config_that_is_no_object_is_refused() -> None:
    with pytest.raises(CorruptCheckpointError, match="no JSON object"):
        NetworkConfig.from_dict([])  # type: ignore[arg-type]  # what a file may hold
