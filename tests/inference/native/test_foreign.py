"""Checkpoints of other forms are refused by the name of the form, wherever it shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.errors import UnsupportedArchitectureError
from inference.library.describe import examine
from inference.native.config import NetworkConfig
from inference.native.weights import open_checkpoint
from tests.helpers.checkpoints import tiny_llama

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

_TOLD: list[tuple[dict[str, Any], str]] = [
    ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "GPTQ"),
    ({"quantization_config": {"quant_method": "awq", "bits": 4}}, "AWQ"),
    ({"quantization_config": {"quant_method": "bitsandbytes"}}, "bitsandbytes"),
    ({"quantization_config": {"quant_method": "fp8"}}, "FP8"),
    ({"quantization_config": {"quant_method": "compressed-tensors"}}, "compressed-tensors"),
    ({"quantization_config": {"quant_method": "brand-new"}}, "brand-new"),
    ({"quantization_config": {"load_in_4bit": True}}, "a form of another program"),
    ({"compression_config": {"quant_method": "compressed-tensors"}}, "compressed-tensors"),
    ({"quantization": {"group_size": 64, "bits": 4}}, "MLX"),
]
_PROJECTION = "model.layers.0.self_attn.q_proj"


def _packed(*endings: str) -> Callable[[dict[str, Tensor]], None]:
    def change(tensors: dict[str, Tensor]) -> None:
        del tensors[f"{_PROJECTION}.weight"]
        for ending in endings:
            tensors[_PROJECTION + ending] = torch.ones(4, 32, dtype=torch.int32)

    return change


def _fp8(tensors: dict[str, Tensor]) -> None:
    name = f"{_PROJECTION}.weight"
    tensors[name] = tensors[name].to(torch.float8_e4m3fn)


_SEEN: list[tuple[Callable[[dict[str, Tensor]], None], str]] = [
    (_packed(".qweight", ".qzeros", ".scales", ".g_idx"), "GPTQ"),
    (_packed(".qweight", ".qzeros", ".scales"), "GPTQ or AWQ"),
    (_packed(".weight", ".weight.absmax", ".weight.quant_map"), "bitsandbytes"),
    (_packed(".weight", ".scales", ".biases"), "MLX"),
    (_fp8, "FP8"),
]


def _sentence(form: str) -> str:
    return (
        f"The native engine cannot run this model: its weights are quantized as {form}, which it "
        "does not read."
    )


@pytest.mark.parametrize(("changes", "form"), _TOLD)
def test_a_form_that_the_config_names(changes: dict[str, Any], form: str, tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "Qwen3-0.6B-packed")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8")) | changes
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(UnsupportedArchitectureError) as caught:
        NetworkConfig.from_dict(config)
    assert caught.value.message == _sentence(form)
    info, error = examine(folder)
    assert error is not None
    assert info.problem.startswith(_sentence(form))
    assert "The catalogue has Qwen3 0.6B as GGUF" in error.hint


@pytest.mark.parametrize(("change", "form"), _SEEN)
def test_a_form_that_only_the_tensors_show(
    change: Callable[[dict[str, Tensor]], None], form: str, tmp_path: Path
) -> None:
    folder = tiny_llama(tmp_path / "other-awq")
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(UnsupportedArchitectureError) as caught:
        open_checkpoint(folder)
    assert caught.value.message == _sentence(form)
    info, error = examine(folder)
    assert error is not None
    assert info.problem.startswith(_sentence(form))
    assert "`glasshouse models search other --form gguf`" in error.hint


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"auto_map": {"AutoModelForCausalLM": "modeling.X"}}, "needs Python code that comes with"),
        (
            {"architectures": ["RwkvForCausalLM"], "model_type": "rwkv"},
            "'RwkvForCausalLM', is none",
        ),
    ],
)
def test_other_checkpoints_that_never_run_here_name_a_gguf_file_too(
    changes: dict[str, Any], what: str, tmp_path: Path
) -> None:
    folder = tiny_llama(tmp_path / "SmolLM2-135M-special")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8")) | changes
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    info, error = examine(folder)
    assert isinstance(error, UnsupportedArchitectureError)
    assert what in info.problem
    assert "The catalogue has SmolLM2 135M as GGUF" in info.problem
    with pytest.raises(UnsupportedArchitectureError, match="native engine") as caught:
        open_checkpoint(folder)
    assert "GGUF" in caught.value.hint
